/* A second object of the package. */
int c_common __attribute__((common));
extern int c_visible;
int c_weak(int);
__attribute__((visibility("hidden"))) extern int helper_table[];

static const double c_factors[] = { 1.5, 2.5 };
__attribute__((section(".data.own"))) int c_own[4] = { 1, 2 };

int c_more(int n)
{
	return c_weak(n) + c_visible + c_common + c_own[n & 3] + (int)c_factors[n & 1];
}
