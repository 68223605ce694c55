// SPDX-License-Identifier: GPL-2.0-only
/*
 * empty FILE: attach the only program of a BPF object, say so on stderr, and wait for a signal.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct bpf_object *obj = argc == 2 ? bpf_object__open_file(argv[1], NULL) : NULL;
	struct bpf_program *prog = obj ? bpf_object__next_program(obj, NULL) : NULL;

	if (!prog || bpf_object__load(obj) || !bpf_program__attach(prog)) {
		fprintf(stderr, "empty: cannot attach\n");
		return 1;
	}
	fprintf(stderr, "attached\n");
	pause();
	return 0;
}
