# SPDX-License-Identifier: GPL-2.0-only
# make            build ./finwait
# make check      unit tests (no root, no kernel, no libbpf)
# make live       live tests on this kernel (root)
# make lab        incidents that finwait report must recognise (root)
# make web        the page of HTML reports, in headless Chromium (root for what the lab has not left)
# make vm         live tests on real kernels under qemu (root); KERNEL=6.12 for one
# make soak       load and faults for ten minutes (root); SOAK=1h for longer
# make bench      what it costs, traced against untraced (root); BENCH='--part cost' for less
# make install    PREFIX=/usr/local, DESTDIR=
# V=1 shows commands, DEBUG=1 builds for the debugger, SANITIZE=1 with ASan and UBSan.

VERSION := 0.1.0
PREFIX ?= /usr/local
CLANG ?= clang
BPFTOOL ?= $(firstword $(shell command -v bpftool 2>/dev/null) /usr/sbin/bpftool)
B := build
ARCH := $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

WARN := -Wall -Wextra -Wshadow -Wformat=2 -Werror
CFLAGS ?= -O2
ALL_CFLAGS = $(CFLAGS) -g -std=gnu11 -D_GNU_SOURCE -DFW_VERSION='"$(VERSION)"' $(WARN) -Iuser -MMD -MP
ifeq ($(DEBUG),1)
CFLAGS := -O0
endif
SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
ifeq ($(SANITIZE),1)
ALL_CFLAGS += $(SAN)
LDFLAGS += $(SAN)
endif

# Two objects: the hooks, whose owner of the shared maps comes first, and the iterators.
BPF_SRC := bpf/state.bpf.c $(filter-out bpf/state.bpf.c bpf/iter.bpf.c,$(wildcard bpf/*.bpf.c))
BPF_OBJ := $(BPF_SRC:bpf/%.bpf.c=$B/bpf/%.bpf.o)
PURE_SRC := $(wildcard user/util/*.c user/core/*.c user/report/*.c user/analysis/*.c)
APP_SRC := user/main.c $(wildcard user/cmd/*.c user/io/*.c)
PURE_OBJ := $(PURE_SRC:%.c=$B/%.o)
APP_OBJ := $(APP_SRC:%.c=$B/%.o)
PURE_SAN_OBJ := $(PURE_SRC:%.c=$B/san/%.o)
APP_SAN_OBJ := $(APP_SRC:%.c=$B/san/%.o)
UNIT := $(patsubst tests/unit/%.c,$B/tests/%,$(wildcard tests/unit/test_*.c))
LIVE_PROGRAMS := $B/tests/peer $B/tests/witness $B/tests/churn $B/tests/flood $B/tests/leaker

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all check live lab web vm soak bench tests install clean vmlinux

all: finwait

finwait: $(APP_OBJ) $B/libfinwait.a
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lbpf -lelf -lz

# Pure: compiled without libbpf anywhere in sight, as the unit tests prove by linking without it.
$B/libfinwait.a: $(PURE_OBJ)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$B/user/%.o: user/%.c
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -I$B -c -o $@ $<

# The page of HTML reports; web/build makes it.
$B/user/report/html_page.o $B/san/user/report/html_page.o: web/dist/report.html

# Each skeleton is included by one file.
$B/user/io/attach.o $B/san/user/io/attach.o: $B/fw_bpf.skel.h
$B/user/io/snapshot.o $B/san/user/io/snapshot.o: $B/fw_iter.skel.h

$B/bpf/%.bpf.o: bpf/%.bpf.c
	$(say) BPF $@
	$(Q)mkdir -p $(@D) && $(CLANG) -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) \
		-Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Werror \
		-Ivmlinux -Ibpf -MMD -MP -c -o $@ $<

$B/fw_bpf.o: $(BPF_OBJ)
	$(say) BPFLINK $@
	$(Q)$(BPFTOOL) gen object $@ $^

$B/fw_iter.o: $B/bpf/iter.bpf.o
	$(say) BPFLINK $@
	$(Q)$(BPFTOOL) gen object $@ $^

$B/%.skel.h: $B/%.o
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name $* > $@

# Regenerates the checked-in header from the running kernel's BTF.
vmlinux:
	vmlinux/generate

# Unit tests: the pure archive alone, under ASan and UBSan.
$B/san/user/%.o: user/%.c
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(SAN) -c -o $@ $<

$B/san/libfinwait.a: $(PURE_SAN_OBJ)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# The whole program under ASan and UBSan, for make soak.
$(APP_SAN_OBJ): ALL_CFLAGS += -I$B
$B/san/finwait: $(APP_SAN_OBJ) $B/san/libfinwait.a
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS) $(SAN) -o $@ $^ -lbpf -lelf -lz

$B/tests/test_%: tests/unit/test_%.c $(wildcard tests/unit/*.h) $B/san/libfinwait.a
	$(say) TEST $@
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(SAN) -o $@ $< $B/san/libfinwait.a -lcmocka

# Made-up reports for the tests of the page.
$B/tests/sample: tests/web/sample.c $(wildcard tests/unit/*.h) $B/libfinwait.a
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -o $@ $< $B/libfinwait.a -lcmocka

check: $(UNIT)
	$(Q)if grep -rnE 'include <bpf/|"io/|"cmd/' user/util user/core user/report $(wildcard user/analysis); then \
		echo 'FAIL: the pure archive includes what it must not' >&2; exit 1; fi
	$(Q)scripts/check-unit $^

WITNESS_SRC := $(filter-out %_main.c,$(wildcard tests/live/witness*.c))
$B/tests/peer: $(wildcard tests/live/peer*.c) $(WITNESS_SRC)
$B/tests/witness: tests/live/witness_main.c $(WITNESS_SRC)
$B/tests/churn: tests/bench/churn.c
$B/tests/empty.bpf.o: tests/bench/empty.bpf.c
	$(say) BPF $@
	$(Q)mkdir -p $(@D) && $(CLANG) -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) \
		-Ivmlinux -c -o $@ $<

$B/tests/empty: tests/bench/empty.c
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -o $@ $^ -lbpf -lelf -lz

$B/tests/micro: tests/bench/micro.c $B/libfinwait.a
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -o $@ $^
$B/tests/leaker: tests/live/leaker.c
$B/tests/flood: tests/live/flood.c tests/live/peer_net.c tests/live/peer_packet.c
$(LIVE_PROGRAMS): $(wildcard tests/live/*.h)
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) -g -std=gnu11 $(WARN) -o $@ $(filter %.c,$^) -lpthread

tests: $(UNIT) $(LIVE_PROGRAMS)

live: finwait $(LIVE_PROGRAMS)
	$(Q)tests/live/run

lab: finwait
	$(Q)mkdir -p $B/lab && LAB_HTML=$(abspath $B/lab) tests/lab/run

web: finwait
	$(Q)tests/web/run

vm: finwait $(LIVE_PROGRAMS)
	$(Q)tests/vm/run.sh

soak: finwait $B/san/finwait $B/tests/churn
	$(Q)tests/soak/soak.py $(or $(SOAK),10m)

bench: finwait $B/tests/churn $B/tests/micro $B/tests/empty $B/tests/empty.bpf.o
	$(Q)tests/bench/bench.py $(BENCH)
	$(Q)tests/bench/scale.py
	$(Q)$B/tests/micro

install: finwait
	install -D -m 0755 finwait $(DESTDIR)$(PREFIX)/sbin/finwait

clean:
	rm -rf $B finwait

-include $(shell find $B -name '*.d' 2>/dev/null)
