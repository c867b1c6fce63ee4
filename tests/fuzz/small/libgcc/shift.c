/* Another, which the first one needs. */
int helper_table[4] = { 1, 2, 3, 4 };

int helper_shift(int n)
{
	return n << helper_table[n & 1];
}
