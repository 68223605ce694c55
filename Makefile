# SPDX-License-Identifier: GPL-2.0-only
# make            build ./finwait
# make check      unit tests (no root, no kernel, no libbpf)
# make replay     recordings say what they said (no root, no BPF)
# make live       live tests on this kernel (root); LIVE=paths.py for one
# make lab        incidents that finwait report must recognise, and healthy hosts (root); LAB='--serve --from-recording'
# make mutate     each rule of the analyses broken on purpose: the lab must notice (root, long)
# make web        the page of HTML reports, in headless Chromium (root for what the lab has not left)
# make export     its connections in jq, ClickHouse and SQLite (root)
# make fuzz       fuzz every parser for FUZZ_SECONDS each (default 20), in clang's sanitizers
# make vm         live tests on real kernels under qemu (root); KERNEL=6.12 for one
# make soak       load and faults for ten minutes (root); SOAK=1h for longer
# make bench      what it costs, traced against untraced (root); BENCH='--part cost' for less
# make dist       what dist/ holds: man pages, completion, unit, package, alerts, dashboard (root)
# make install    PREFIX=/usr/local, DESTDIR=; make uninstall takes it away again
# make deb        a Debian package, into build/deb
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
# In every build, also where CFLAGS and LDFLAGS come from a packager: scripts/check-hardening looks for them.
HARDEN := -fPIE -fstack-protector-strong -fstack-clash-protection
HARDEN_LD := -pie -Wl,-z,relro,-z,now,-z,noexecstack
ifeq ($(ARCH),x86)
HARDEN += -fcf-protection
else ifeq ($(ARCH),arm64)
HARDEN += -mbranch-protection=standard
endif
# It needs an optimiser, and the sanitizers check more.
ifneq ($(DEBUG)$(SANITIZE),1)
FORTIFY := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
ALL_CFLAGS = $(CPPFLAGS) $(CFLAGS) $(HARDEN) $(FORTIFY) -g -std=gnu11 -D_GNU_SOURCE -DFW_VERSION='"$(VERSION)"' $(WARN) -Iuser -MMD -MP
ifeq ($(DEBUG),1)
CFLAGS := -O0
endif
SAN := -U_FORTIFY_SOURCE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
ifeq ($(SANITIZE),1)
ALL_CFLAGS += $(SAN)
LDFLAGS += $(SAN)
endif

# In the binary itself: a recording can be read where none of them is installed. Who lacks the archives
# says LIBS_DYNAMIC=1.
LIBS := -lbpf -lelf -lz -lzstd -lcap-ng -lseccomp
SERVE_LIBS := -lmicrohttpd -lcurl
ifeq ($(LIBS_DYNAMIC),1)
STATIC_LIBS = $(LIBS)
else
STATIC_LIBS = -Wl,-Bstatic $(LIBS) -Wl,-Bdynamic
endif

# Two objects: the hooks and the iterators. In each the owner of the shared maps comes first.
ITER_SRC := bpf/iter.bpf.c bpf/holders.bpf.c
BPF_SRC := bpf/state.bpf.c $(filter-out bpf/state.bpf.c $(ITER_SRC),$(wildcard bpf/*.bpf.c))
BPF_OBJ := $(BPF_SRC:bpf/%.bpf.c=$B/bpf/%.bpf.o)
ITER_OBJ := $(ITER_SRC:bpf/%.bpf.c=$B/bpf/%.bpf.o)
PURE_SRC := $(wildcard user/util/*.c user/core/*.c user/record/*.c user/report/*.c user/analysis/*.c)
# user/serve/ is only in finwait-serve; cmd/serve_exec.c, which runs it, is only in finwait.
SERVE_EXEC := user/cmd/serve_exec.c
SERVE_SRC := $(wildcard user/serve/*.c)
APP_SRC := user/main.c $(wildcard user/cmd/*.c user/io/*.c) $(SERVE_SRC)
PURE_OBJ := $(PURE_SRC:%.c=$B/%.o)
APP_OBJ := $(patsubst %.c,$B/%.o,$(filter-out $(SERVE_SRC),$(APP_SRC)))
SERVE_OBJ := $(patsubst %.c,$B/%.o,$(filter-out $(SERVE_EXEC),$(APP_SRC)))
PURE_SAN_OBJ := $(PURE_SRC:%.c=$B/san/%.o)
APP_SAN_OBJ := $(patsubst %.c,$B/san/%.o,$(filter-out $(SERVE_EXEC),$(APP_SRC)))
UNIT := $(patsubst tests/unit/%.c,$B/tests/%,$(wildcard tests/unit/test_*.c))
LIVE_PROGRAMS := $B/tests/peer $B/tests/witness $B/tests/churn $B/tests/flood $B/tests/leaker $B/tests/takeover

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all check replay live lab mutate web export fuzz dist vm soak bench tests install uninstall deb clean vmlinux

all: finwait

finwait: $(APP_OBJ) $B/libfinwait.a | finwait-serve
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS) $(HARDEN_LD) -o $@ $^ $(STATIC_LIBS)

finwait-serve: $(SERVE_OBJ) $B/libfinwait.a
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS) $(HARDEN_LD) -o $@ $^ $(STATIC_LIBS) $(SERVE_LIBS)

# Pure: compiled without libbpf anywhere in sight, as the unit tests prove by linking without it.
$B/libfinwait.a: $(PURE_OBJ)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$B/user/%.o: user/%.c
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -I$B -c -o $@ $<

# The page of HTML reports; web/build makes it. It gets in by assembler, whose symbols link-time optimisation
# does not see.
$B/user/report/html_page.o: ALL_CFLAGS += -fno-lto
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

$B/fw_iter.o: $(ITER_OBJ)
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
	$(Q)$(CC) $(LDFLAGS) $(SAN) -o $@ $^ $(LIBS) $(SERVE_LIBS)

$B/tests/test_%: tests/unit/test_%.c $(wildcard tests/unit/*.h) $B/san/libfinwait.a
	$(say) TEST $@
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(SAN) -o $@ $< $B/san/libfinwait.a -lcmocka -lzstd

# Made-up reports for the tests of the page.
$B/tests/sample: tests/web/sample.c $(wildcard tests/unit/*.h) $B/libfinwait.a
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -o $@ $< $B/libfinwait.a -lcmocka -lzstd

check: $(UNIT)
	$(Q)scripts/check-layers
	$(Q)scripts/check-unit $^

# Fuzz targets: everything is compiled again, for libFuzzer. Some include the file whose static
# parsers they feed; then the archive's copy of it is not linked.
FUZZ_SAN := -U_FORTIFY_SOURCE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,$B/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SRC := $(PURE_SRC) $(filter-out user/main.c,$(APP_SRC)) tests/fuzz/play.c tests/fuzz/reading.c

$B/fuzz/%.o: %.c
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CLANG) $(ALL_CFLAGS) -O1 $(FUZZ_SAN) -fsanitize=fuzzer-no-link -I$B \
		-c -o $@ $<

$B/fuzz/user/report/html_page.o: web/dist/report.html
$B/fuzz/user/io/attach.o: $B/fw_bpf.skel.h
$B/fuzz/user/io/snapshot.o: $B/fw_iter.skel.h

$B/fuzz/libfinwait.a: $(FUZZ_SRC:%.c=$B/fuzz/%.o)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(FUZZ): $B/fuzz/%: $B/fuzz/tests/fuzz/fuzz_%.o $B/fuzz/libfinwait.a
	$(say) FUZZ $@
	$(Q)$(CLANG) $(FUZZ_SAN) -fsanitize=fuzzer -o $@ $^ $(LIBS)

$B/fuzz/blocks_of: tests/fuzz/blocks_of.c $B/user/io/block_file.o $B/libfinwait.a
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)

fuzz: $(FUZZ) $B/fuzz/blocks_of
	$(Q)tests/fuzz/run $(FUZZ)

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
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -o $@ $^ -lzstd

# What recordings take, and cost, and how fast they are read (root).
.PHONY: bench-recording
bench-recording: finwait $B/tests/churn $B/tests/packing
	$(Q)tests/bench/recording.py

$B/tests/packing: tests/bench/packing.c $B/libfinwait.a
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -o $@ $^ -lzstd
$B/tests/leaker: tests/live/leaker.c
$B/tests/takeover: tests/live/takeover.c
$B/tests/flood: tests/live/flood.c tests/live/peer_net.c tests/live/peer_packet.c
$(LIVE_PROGRAMS): $(wildcard tests/live/*.h)
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) -g -std=gnu11 $(WARN) -o $@ $(filter %.c,$^) -lpthread

# Recordings with escape sequences in all their texts.
$B/tests/hostile: tests/live/hostile.c $B/user/io/block_file.o $B/libfinwait.a
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)

$B/tests/bomb: tests/live/bomb.c $B/libfinwait.a
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -o $@ $^ -lzstd

HOSTILE := $B/tests/hostile $B/tests/bomb
tests: $(UNIT) $(LIVE_PROGRAMS) $(HOSTILE)

replay: finwait
	$(Q)tests/replay/replay.py
	$(Q)tests/replay/broken.py

live: finwait $(LIVE_PROGRAMS) $(HOSTILE)
	$(Q)tests/live/run $(LIVE)

lab: finwait
	$(Q)mkdir -p $B/lab && LAB_HTML=$(abspath $B/lab) tests/lab/run $(LAB)

# Breaks each rule of the analyses on purpose: the lab must notice (root).
mutate: finwait
	$(Q)tests/lab/mutate $(MUTATE)

web: finwait
	$(Q)tests/web/run

export: finwait $B/tests/peer $B/tests/churn
	$(Q)status=0; tests/export/export.py || status=1; tests/export/fleet.py || status=1; exit $$status

vm: finwait $(LIVE_PROGRAMS) $(HOSTILE)
	$(Q)tests/vm/run.sh

soak: finwait $B/san/finwait $B/tests/churn
	$(Q)tests/soak/soak.py $(or $(SOAK),10m)

bench: finwait $B/tests/churn $B/tests/micro $B/tests/empty $B/tests/empty.bpf.o
	$(Q)tests/bench/bench.py $(BENCH)
	$(Q)tests/bench/scale.py
	$(Q)$B/tests/micro

dist: finwait
	$(Q)tests/dist/run

install: finwait
	$(Q)DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' dist/install

uninstall:
	$(Q)DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' dist/install --remove

deb:
	$(Q)VERSION=$(VERSION) dist/make-deb

clean:
	rm -rf $B finwait finwait-serve

-include $(shell find $B -name '*.d' 2>/dev/null)
