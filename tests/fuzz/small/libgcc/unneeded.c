/* And one that nobody needs. */
int helper_unneeded(int n)
{
	return n;
}
