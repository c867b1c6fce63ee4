// Command ownc has C code of its own, with all that there is to link of it: calls both ways, calls of
// the C library and of the compiler's own, data with addresses, tables of jumps, common, weak and
// static symbols, and slots of the global offset table for what is defined here.
package main

/*
#include <stdlib.h>
#include <string.h>

extern int goAdd(int, int);

typedef struct { int n; const char *name; } item;
static item items[] = { {1, "one"}, {2, "two"}, {3, "three"} };
int shared_counter __attribute__((common));
int visible_a = 7, visible_b = 11;
static int calls;

__attribute__((weak)) int weak_answer(void) { return 42; }

static int by_name(const void *a, const void *b) {
	return strcmp(((item*)a)->name, ((item*)b)->name);
}

int total(int base) {
	int i, sum = base;
	calls++;
	shared_counter += 2;
	qsort(items, 3, sizeof items[0], by_name);
	for (i = 0; i < 3; i++) sum = goAdd(sum, items[i].n);
	return sum + weak_answer() + calls + shared_counter;
}

const char *name_of(int n) {
	switch (n) {
	case 0: return "zero";
	case 1: return "uno";
	case 2: return "due";
	case 3: return "tre";
	case 4: return "quattro";
	case 5: return "cinque";
	}
	return "molti";
}

// The compiler's own library counts bits, and divides what is longer than a word. That of arm may be
// Thumb code, which Go's linker refuses.
#ifdef __arm__
int bits(unsigned long n) { return n & 0xff; }
unsigned long long quotient(unsigned long long a, unsigned long long b) { return a - b; }
#else
int bits(unsigned long n) { return __builtin_popcountl(n); }
unsigned long long quotient(unsigned long long a, unsigned long long b) {
#ifdef __SIZEOF_INT128__
	return (unsigned long long)((((unsigned __int128)a << 64) + 5) / b);
#else
	return a / b;
#endif
}
#endif

int picks(int which) {
	int *chosen = &visible_a;
#ifdef __x86_64__
	__asm__("testl %1, %1\n\tmovq visible_a@GOTPCREL(%%rip), %0\n\t"
		"cmovneq visible_b@GOTPCREL(%%rip), %0" : "=&r"(chosen) : "r"(which));
#else
	if (which) chosen = &visible_b;
#endif
	return *chosen;
}
*/
import "C"

import "fmt"

func main() {
	fmt.Println(C.total(3), C.GoString(C.name_of(4)), C.GoString(C.name_of(9)))
	fmt.Println(C.bits(0xff0f), C.quotient(12, 7), C.picks(0), C.picks(1))
}
