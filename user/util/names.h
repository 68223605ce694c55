/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of things that are known by a number: control groups, network namespaces. A name is asked for
 * when its number is first seen, and kept: by the time a connection has left TIME_WAIT its container
 * may be gone.
 *
 * Bounded: of more than FW_NAMES_MAX the one that was set first is forgotten, and asked for again.
 */
#ifndef FW_UTIL_NAMES_H
#define FW_UTIL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FW_NAMES_MAX 65536 /* most hosts have hundreds */

struct fw_named {
	struct fw_named *in_bucket;
	struct fw_named *next, **here; /* of all, in the order of their setting */
	uint64_t number;
	char *name;	 /* NULL: it has none, as far as known */
	char *former;	 /* names that the number had in former lives; NULL: none */
	char *all;	 /* for fw_names_all() */
	uint64_t asked_ns; /* when fw_names_due() said so last */
	uint64_t seen_ns;  /* when it was last seen */
	uint16_t life;	   /* then; 0: not known */
};

struct fw_names {
	struct fw_named **buckets; /* NULL: no memory, no names */
	size_t nr_buckets, nr;	   /* a power of two */
	struct fw_named *first, **end;
	uint64_t due_number, due_ns; /* what fw_names_due() said last */
};

void fw_names_init(struct fw_names *n);
void fw_names_fini(struct fw_names *n);

/* Whether @number has been set. 0 always has: it has no name. */
bool fw_names_knows(const struct fw_names *n, uint64_t number);

/* Whether it is time to ask for it: it is not known, or may have changed since, because the kernel gives
 * numbers to something new as soon as they are free.
 */
bool fw_names_due(struct fw_names *n, uint64_t number, uint64_t now_ns);

/* @name: of @len bytes, is copied; NULL: none is known. */
void fw_names_set(struct fw_names *n, uint64_t number, const char *name, size_t len);

/* NULL: none is known. Valid until the next call of fw_names_set(). */
const char *fw_names_get(const struct fw_names *n, uint64_t number);

/*
 * @number is seen at @now_ns, in its life @life: what has the same number later differs in that (0: not
 * known). True: it belongs to something else than before; *@last_ns is when that was seen last.
 */
bool fw_names_seen(struct fw_names *n, uint64_t number, uint16_t life, uint64_t now_ns,
		   uint64_t *last_ns);

/* A new life: the name is a former one. */
void fw_names_reborn(struct fw_names *n, uint64_t number);

/* For what may be of any of its lives: all names that it had, "a, b". As fw_names_get(). */
const char *fw_names_all(struct fw_names *n, uint64_t number);

/* In which life it was seen last; 0: not known. */
uint16_t fw_names_life(const struct fw_names *n, uint64_t number);

/* Those without a name are not known any more. */
void fw_names_forget_unnamed(struct fw_names *n);

#endif
