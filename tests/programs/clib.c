/* Calls the library of clib/clib.go, which is linked with it or loaded. */
#include <stdio.h>

int Add(int a, int b);
char *Upper(char *text);
void Free(char *text);
int Twice(int (*f)(int), int x);
int Sum(int n);
int Recovered(int index);
void Describe(void);

static int triple(int x) { return 3 * x; }

int main(void) {
	setvbuf(stdout, NULL, _IONBF, 0);
	printf("%d\n", Add(2, 3));
	char *upper = Upper("moo");
	printf("%s\n", upper);
	Free(upper);
	printf("%d %d\n", Twice(triple, 2), Sum(100));
	printf("%d\n", Recovered(1));
	printf("%d\n", Recovered(7));
	Describe();
	Describe();
	return 0;
}
