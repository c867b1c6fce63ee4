/* Stands in for the C compiler: writes its arguments, and the objects among them, to its output. */
#include <stdio.h>
#include <string.h>

static void copy(FILE *out, const char *name)
{
	char block[1 << 16];
	size_t size;
	FILE *in = fopen(name, "rb");
	if (in == NULL)
		return;
	while ((size = fread(block, 1, sizeof block, in)) > 0)
		fwrite(block, 1, size, out);
	fclose(in);
}

int main(int argc, char **argv)
{
	const char *name = NULL;
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "-o") == 0)
			name = argv[i + 1];
	if (name == NULL)
		return 0;
	FILE *out = fopen(name, "wb");
	if (out == NULL) {
		perror(name);
		return 1;
	}
	for (int i = 1; i < argc; i++) {
		size_t size = strlen(argv[i]);
		if (size > 2 && strcmp(argv[i] + size - 2, ".o") == 0)
			copy(out, argv[i]);
		else
			fprintf(out, "%s\n", argv[i]);
	}
	return fclose(out) != 0;
}
