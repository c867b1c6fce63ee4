//go:build ownvfs

package main

/*
#include <stddef.h>
#include <string.h>

// What SQLite asks of a system, which has no files: the built-in one keeps pointers to functions of
// the C library in data, which Go's linker links into no executable that is bound to an address.
typedef struct vfs {
	int version, file_size, longest;
	struct vfs *next;
	const char *name;
	void *data;
	int (*open)(struct vfs*, const char*, void*, int, int*);
	int (*remove)(struct vfs*, const char*, int);
	int (*access)(struct vfs*, const char*, int, int*);
	int (*full)(struct vfs*, const char*, int, char*);
	void *dl[4];
	int (*random)(struct vfs*, int, char*);
	int (*sleep)(struct vfs*, int);
	int (*now)(struct vfs*, double*);
	int (*error)(struct vfs*, int, char*);
} vfs;

static int no_file(vfs *v, const char *name, void *file, int flags, int *out) { return 14; }
static int no_remove(vfs *v, const char *name, int sync) { return 10; }
static int no_access(vfs *v, const char *name, int flags, int *out) { *out = 0; return 0; }
static int full(vfs *v, const char *name, int room, char *out) { strncpy(out, name, room); return 0; }
static int no_random(vfs *v, int size, char *out) { memset(out, 4, size); return size; }
static int no_sleep(vfs *v, int micros) { return micros; }
static int now(vfs *v, double *out) { *out = 2460000.5; return 0; }
static int no_error(vfs *v, int size, char *out) { return 0; }

static vfs own = {1, 8, 100, NULL, "none", NULL, no_file, no_remove, no_access, full, {NULL},
	no_random, no_sleep, now, no_error};

extern int sqlite3_vfs_register(vfs*, int);
int sqlite3_os_init(void) { return sqlite3_vfs_register(&own, 1); }
int sqlite3_os_end(void) { return 0; }
*/
import "C"
