# Names for what a person wants; the build itself is meson's. `make help` lists them.

BUILD ?= build
CC ?= gcc
MESON_OPTIONS ?=
PREFIX ?= /usr
DESTDIR ?=

.DEFAULT_GOAL := build
.PHONY: help setup build demo check check-asan check-tsan check-clang campaign campaign-tsan fuzz fuzz-smoke bench lint format install clean

help:            ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile | expand -t 16

setup:           ## install what is missing (Debian; needs root when something is)
	@tools/setup

$(BUILD)/build.ninja:
	CC=$(CC) meson setup $(BUILD) --prefix=$(PREFIX) $(MESON_OPTIONS)

build: setup $(BUILD)/build.ninja ## build into ./build
	@ninja -C $(BUILD)

demo: build      ## the notification loop, live (root: it makes a loop device)
	@tools/demo $(BUILD)

check: build     ## every test; then the unit tests again under ASan+UBSan and TSan
	@tools/check $(BUILD)

check-asan:      ## all tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@tools/check-sanitized address,undefined

check-tsan:      ## the tests with threads under ThreadSanitizer
	@tools/check-sanitized thread

check-clang:     ## all tests, built by clang
	@$(MAKE) --no-print-directory BUILD=build-clang CC=clang build
	@tools/run-tests build-clang

campaign: build  ## the long forms of the tests that have one: hours
	@tools/campaign $(BUILD)

campaign-tsan:   ## the same under ThreadSanitizer
	@CLUSPORT_CAMPAIGN=1 tools/check-sanitized thread --suite campaign --num-processes 1 --timeout-multiplier 0

fuzz-smoke:      ## each decoder against random bytes, 20 seconds each
	@tools/fuzz 20

bench: build     ## how fast it is, beside Redis, NATS, D-Bus and etcd; BENCH="told durable" for some only
	@tools/setup bench
	@$(BUILD)/bench/bench --folder $(BUILD) --json $(BUILD)/bench.json $(BENCH)

fuzz:            ## the same, half an hour each
	@tools/fuzz 1800

lint: build      ## formatting, licence lines, static checks, scripts
	@tools/lint $(BUILD)

format:          ## make the whole tree look as .clang-format says
	@git ls-files '*.c' '*.h' '*.cpp' | xargs clang-format -i

install: build   ## DESTDIR and PREFIX are honoured
	DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild

clean:           ## remove what was built
	rm -rf build build-*
