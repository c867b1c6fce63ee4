/* A little of everything that a C compiler writes of code and data. */
typedef struct { int n; const char *name; int (*call)(int); } item;

extern int puts(const char *);
extern long c_back(long);
extern int helper_divide(int, int), c_more(int);
extern char **environ;

int c_common __attribute__((common));
int c_visible = 7, *c_pointer = &c_visible;
static int calls;
static char room[100];
__attribute__((visibility("hidden"))) int c_hidden = 5;

__attribute__((weak)) int c_weak(int n) { return n + 1; }
__attribute__((noinline)) static int own(int n) { return n * 3 + calls; }

static item items[] = { {1, "one", own}, {2, "two", c_weak}, {3, "three", c_more} };
const item *const c_table[] = { items, items + 1, items + 2 };

int c_total(int base)
{
	int sum = base;
	calls++;
	c_common += c_hidden;
	room[calls & 15] = (char)base;
	for (int i = 0; i < 3; i++)
		sum += c_table[i]->n + c_table[i]->call(room[i]);
	if (environ)
		puts(c_table[0]->name);
	return (int)c_back(sum) + helper_divide(sum, *c_pointer);
}

const char *c_name(int n)
{
	switch (n) {
	case 0: return "zero";
	case 1: return "uno";
	case 2: return own(n) ? "due" : "two";
	case 3: return "tre";
	case 4: return "quattro";
	case 5: return "cinque";
	}
	return "molti";
}
