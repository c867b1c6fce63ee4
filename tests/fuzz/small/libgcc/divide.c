/* Stands in for a member of the compiler's own library. */
extern int helper_shift(int);
extern int helper_table[];

int helper_divide(int a, int b)
{
	return helper_shift(a) - helper_table[b & 3];
}
