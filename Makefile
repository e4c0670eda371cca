# Phoenix. `make` alone prints what there is to do.
#
# Everything is found by its place in the tree: a folder under functions/, local/ or tools/ is a
# program, a tests/**/*_test.c is a test program. Nothing needs to be listed here.

.DEFAULT_GOAL := help
SHELL         := /bin/bash
MAKEFLAGS     += --no-builtin-rules
ifeq ($(MAKELEVEL),0)
MAKEFLAGS     += -j$(shell nproc)
endif

ifeq ($(origin CC),default)
CC       := gcc
endif
CFLAGS   ?= -O2 -g
BUILD    ?= build
SANITIZE ?=

PACKAGES        := libcurl jansson openssl cjose sqlite3 hiredis
PACKAGES_vertex := cairo libpng libavcodec libavformat libavutil libswscale
PACKAGES_tests  := check $(PACKAGES_vertex)

cflags = $(shell pkg-config --cflags $(1) 2>/dev/null)
libs   = $(shell pkg-config --libs $(1) 2>/dev/null)

COMPILE := -I. -Iruntime -D_GNU_SOURCE $(call cflags,$(PACKAGES)) \
           -std=gnu17 -pthread -fno-omit-frame-pointer -ffunction-sections -fdata-sections \
           -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wpointer-arith -Wwrite-strings -Wvla -Wundef -Wformat=2
LINK    := -pthread -Wl,--as-needed -Wl,--gc-sections
LIBS    := $(call libs,$(PACKAGES)) -lm
ifneq ($(SANITIZE),)
# With -fsanitize gcc sees paths that do not exist, and says so itself in its manual.
COMPILE += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
           $(if $(findstring clang,$(CC)),,-Wno-maybe-uninitialized)
LINK    += -fsanitize=$(SANITIZE)
else
COMPILE += -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
LINK    += -pie -Wl,-z,relro,-z,now
endif

# ---- What there is --------------------------------------------------------------------------

FUNCTIONS := $(patsubst functions/%/main.c,%,$(wildcard functions/*/main.c))
LOCALS    := $(patsubst local/%/main.c,%,$(wildcard local/*/main.c))
TOOLS     := $(patsubst tools/%/main.c,%,$(wildcard tools/*/main.c))
EXAMPLES  := $(patsubst runtime/examples/%/main.c,%,$(wildcard runtime/examples/*/main.c))
FUZZERS   := $(patsubst %.c,%,$(wildcard tests/fuzz/*_fuzz.c))
TESTS     := $(patsubst %.c,%,$(shell find tests -name node_modules -prune -o -name '*_test.c' -print)) \
             $(FUZZERS)
SOURCES   := $(shell find $(wildcard runtime adapters domain functions local tools tests bench) \
               -name node_modules -prune -o -name '*.[ch]' -print)
SCRIPTS   := $(shell grep -rIlE -m1 '^\#!.*[ /](ba)?sh$$' phoenix .ci local tests bench containers tools \
               --exclude-dir=node_modules 2>/dev/null)

# ---- Daily work ------------------------------------------------------------------------------

.PHONY: help build run test asan tsan fuzz clang fmt lint layers bench-picture bench-runtime bench-queue bench-identity bench-feed bench-video queue-mutations audit terraform-check terraform-mutations containers-check deploy rollback clean clean-data
help: ## Show this
	@sed -nE 's/^\$$\(.*\): ([a-z]+)\/%: .*## /\1\/NAME\t/p; s/^([a-z-]+):.*## /\1\t/p' Makefile \
		| while IFS=$$'\t' read -r name what; do printf '  make %-19s %s\n' "$$name" "$$what"; done

build: $(addprefix $(BUILD)/bin/,$(FUNCTIONS) $(LOCALS) $(TOOLS) $(EXAMPLES)) ## Build every program into build/bin

.PHONY: $(FUNCTIONS:%=functions/%) $(LOCALS:%=local/%) $(TOOLS:%=tools/%)
$(FUNCTIONS:%=functions/%): functions/%: $(BUILD)/bin/% ## Build one function alone
$(LOCALS:%=local/%): local/%: $(BUILD)/bin/% ## Build one part of the local cloud alone
$(TOOLS:%=tools/%): tools/%: $(BUILD)/bin/% ## Build one command for operators alone

run: build ## Run all of Phoenix on this machine, until Ctrl-C
	@PHOENIX_BIN=$(BUILD)/bin exec local/up

clean: ## Remove what was built
	@rm -rf $(BUILD)

clean-data: ## Remove what `make run` keeps: pictures, documents, queue
	@rm -rf data

# ---- Checks ----------------------------------------------------------------------------------

NPM := $(BUILD)/npm

test: build $(BUILD)/bin/conformance $(TESTS:%=$(BUILD)/%) $(NPM)/.installed ## Run all tests
	@PHOENIX_NPM=$(NPM) tests/run $(BUILD) $(TESTS)

asan: ## Run all tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan NPM=$(NPM) SANITIZE=address,undefined test

# The ThreadSanitizer of gcc 12 cannot live where addresses are more random than was usual then.
FIXED_ADDRESSES = $(shell setarch --addr-no-randomize true 2>/dev/null && echo setarch --addr-no-randomize)

tsan: ## Run the tests of all that has threads under ThreadSanitizer
	@$(FIXED_ADDRESSES) $(MAKE) --no-print-directory BUILD=$(BUILD)/tsan NPM=$(NPM) SANITIZE=thread \
		TESTS='$(filter tests/runtime/% tests/conformance/% tests/adapters/% tests/contract/%,$(TESTS))' test

FUZZ_SECONDS ?= 60
fuzz: ## Look for input that breaks a parser, FUZZ_SECONDS for each
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang SANITIZE=fuzzer,address,undefined \
		$(FUZZERS:%=$(BUILD)/fuzz/%)
	@tests/fuzz/run $(BUILD)/fuzz $(FUZZ_SECONDS) $(FUZZERS)

clang: ## Build everything with clang
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/clang CC=clang build tests

.PHONY: tests
tests: $(TESTS:%=$(BUILD)/%)

fmt: ## Format all C
	@clang-format -i $(SOURCES)

lint: $(patsubst %.c,$(BUILD)/%.tidy,$(filter %.c,$(SOURCES))) ## Run clang-tidy, cppcheck and shellcheck
	@mkdir -p $(BUILD)/cppcheck
	@cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --std=c11 \
		-j2 --cppcheck-build-dir=$(BUILD)/cppcheck --suppressions-list=.cppcheck \
		--library=posix -I. -Iruntime $(filter %.c,$(SOURCES))
	@shellcheck $(SCRIPTS)

BENCH_PICTURE := $(addprefix $(BUILD)/bench/picture/,upstream floor load)
bench-picture: $(BUILD)/bin/generate_image $(BENCH_PICTURE) ## Measure what a picture costs
	@bench/picture/run --build $(BUILD)

RUNTIME_TOOLS := $(addprefix $(BUILD)/bench/runtime/,floor first load microhttpd)
BENCH_RUNTIME := $(RUNTIME_TOOLS) $(addprefix $(BUILD)/bin/,hello generate_image) $(BUILD)/bench/runtime/npm/.installed
bench-runtime: $(BENCH_RUNTIME) ## Measure what the runtime costs
	@bench/runtime/run --build $(BUILD)

BENCH_QUEUE := $(addprefix $(BUILD)/bench/queue/,floor phoenix)
bench-queue: $(BENCH_QUEUE) $(BUILD)/bench/queue/npm/.installed ## Measure what a job costs
	@bench/queue/run --build $(BUILD)

BENCH_FEED := $(addprefix $(BUILD)/bench/feed/,page like)
bench-feed: $(BENCH_FEED) $(BUILD)/bench/runtime/load $(addprefix $(BUILD)/bin/,feed hello) ## Measure what a page costs
	@bench/feed/run --build $(BUILD)

bench-identity: $(BUILD)/bench/identity/measure ## Measure what it costs to know who is asking
	@$<

BENCH_VIDEO := $(BUILD)/bench/video/load $(BUILD)/bench/picture/upstream
bench-video: $(BENCH_VIDEO) $(addprefix $(BUILD)/bin/,submit_video video_worker issuer hello_event) ## Measure what a video costs
	@bench/video/run --build $(BUILD)

queue-mutations: ## Plant faults in the queue's scripts and see the tests notice
	@tests/adapters/job_queue_mutations

AUDIT ?=
audit: build $(BUILD)/tests/video_worker_faulty $(NPM)/.installed ## Kill all that makes videos, and audit; AUDIT="--seed X"
	@PHOENIX_NPM=$(NPM) tests/audit/run --build $(BUILD) $(AUDIT)

BINARIES := $(FUNCTIONS:%=$(BUILD)/bin/%)
terraform-check: $(BINARIES) ## Check the infrastructure, as far as that needs no cloud
	@tests/terraform/check $(BUILD)/bin

terraform-mutations: $(BINARIES) ## Plant mistakes in the infrastructure and see the check notice
	@tests/terraform/mutations $(BUILD)/bin

containers-check: $(BINARIES) ## Start each function in its container's file system; rehearse a deploy
	@tests/containers/check $(BUILD)/bin
	@tests/containers/deliver

layers: ## Refuse an include that points up
	@awk -f tests/layers.awk $(SOURCES)

# ---- Delivery: FUNCTION=feed PROJECT=... [REGIONS="us-central1 europe-west1"] ------------------

deploy: ## Build a function's container and let it take over, a canary first
	@containers/deploy $(FUNCTION) $(PROJECT) $(REGIONS)

rollback: ## Give a function's traffic back to its image before
	@containers/rollback $(FUNCTION) $(PROJECT) $(REGIONS)

# ---- How things are built --------------------------------------------------------------------

objects   = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(addsuffix /*.c,$(1))))
archives  = $(patsubst %,$(BUILD)/lib%.a,$(1))
LIBRARIES := $(call archives,domain adapters fn)

# A list is a file that changes when its text does, so that a new flag, or a source that is gone,
# rebuilds what was made with the old ones.
define list
$(BUILD)/$(1).list: always
	@mkdir -p $$(@D)
	@echo '$(2)' | cmp -s - $$@ || echo '$(2)' >$$@
endef
.PHONY: always
$(eval $(call list,flags,$(CC) $(COMPILE) $(CPPFLAGS) $(CFLAGS) $(LINK) $(LDFLAGS) $(LIBS)))

define archive
$(eval $(call list,lib$(1),$(2)))
$(BUILD)/lib$(1).a: $(BUILD)/lib$(1).list $(2)
	@rm -f $$@
	@ar qcs $$@ $(2)
endef
$(eval $(call archive,fn,$(call objects,runtime)))
$(eval $(call archive,adapters,$(call objects,adapters adapters/wire)))
$(eval $(call archive,domain,$(call objects,domain)))
$(eval $(call archive,support,$(call objects,tests/support)))

# A program is its main.o, what else is in its folder, and what it needs of the layers below.
define program
$(call archive,$(2),$(filter-out %/main.o,$(call objects,$(1)/$(2))))
$(BUILD)/bin/$(2): $(BUILD)/$(1)/$(2)/main.o $(BUILD)/lib$(2).a $(LIBRARIES)
	@mkdir -p $$(@D)
	@echo "  link $(2)"
	@$$(CC) $$(LINK) $$(LDFLAGS) -o $$@ $$^ $$(call libs,$$(PACKAGES_$(2))) $$(LDLIBS) $$(LIBS)
endef
$(foreach name,$(FUNCTIONS),$(eval $(call program,functions,$(name))))
$(foreach name,$(LOCALS),$(eval $(call program,local,$(name))))
$(foreach name,$(TOOLS),$(eval $(call program,tools,$(name))))

# The worker with its fault points, for tests that kill it at one of them.
FAULTY := $(patsubst %.c,$(BUILD)/faulty/%.o,$(wildcard functions/video_worker/*.c))
$(BUILD)/tests/video_worker_faulty: $(FAULTY) $(BUILD)/libsupport.a $(LIBRARIES)
	@mkdir -p $(@D)
	@echo "  link $(@F)"
	@$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(LIBS)
$(BUILD)/tests/audit/audit_test $(BUILD)/tests/e2e/scenario_test: | $(BUILD)/tests/video_worker_faulty
$(BUILD)/faulty/%.o: %.c $(BUILD)/flags.list
	@mkdir -p $(@D)
	@echo "  cc   $< (faulty)"
	@$(CC) $(COMPILE) -DPHOENIX_FAULTS $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# What needs the runtime and nothing else: its examples, and what proves its conformance. Linked
# statically they are one file, and a tenth of their start is saved.
ALONE := $(if $(SANITIZE),$(LINK),$(filter-out -pie,$(LINK)) -static)
$(EXAMPLES:%=$(BUILD)/bin/%): $(BUILD)/bin/%: $(BUILD)/runtime/examples/%/main.o
$(BUILD)/bin/conformance: $(BUILD)/tests/conformance/main.o
$(EXAMPLES:%=$(BUILD)/bin/%) $(BUILD)/bin/conformance: $(BUILD)/libfn.a
	@mkdir -p $(@D)
	@echo "  link $(@F)"
	@$(CC) $(LDFLAGS) $(ALONE) -o $@ $(filter %.o,$^) $< $(LDLIBS)

# A test sees the layer that it is about and those below, so that it builds where they do. One whose
# name begins with a program's sees all of that but its main.c.
below_layers_test := fn
below_runtime  := fn
below_conformance := fn
below_fuzz     := fn
below_adapters := adapters fn
below_contract := adapters fn
about = $(foreach name,$(FUNCTIONS) $(LOCALS) $(TOOLS),$(if $(filter $(name)%,$(notdir $(1))),$(name)))
below = $(call archives,support $(call about,$(1)) \
          $(or $(below_$(word 2,$(subst /, ,$(1)))),domain adapters fn))

define test_program
$(BUILD)/$(1): $(BUILD)/$(1).o $(call below,$(1))
	@$$(CC) $$(LINK) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) $$(filter %.a,$$^) \
		$$(call libs,$$(PACKAGES_tests)) $$(LDLIBS) $$(LIBS)
endef
$(foreach name,$(TESTS),$(eval $(call test_program,$(name))))

# As a test a fuzzer replays its corpus; libFuzzer brings a main of its own.
ifeq ($(findstring fuzzer,$(SANITIZE)),)
$(FUZZERS:%=$(BUILD)/%): $(BUILD)/tests/fuzz/replay.o
endif

$(BENCH_PICTURE) $(BUILD)/bench/video/load: %: %.o $(BUILD)/bench/picture/plain_http.o
	@$(CC) $(LDFLAGS) $(LINK) -o $@ $^ $(LDLIBS) $(LIBS)

$(BUILD)/bench/identity/measure: $(BUILD)/bench/identity/measure.o $(LIBRARIES)
	@$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(LIBS)

$(BUILD)/bench/queue/phoenix: $(LIBRARIES)
$(BENCH_QUEUE): %: %.o $(BUILD)/bench/queue/measure.o
	@$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(LIBS)

$(BENCH_FEED): %: %.o $(LIBRARIES)
	@$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(LIBS)

$(BUILD)/bench/runtime/floor: LINK_bench := -static
$(BUILD)/bench/runtime/microhttpd: LIBS_bench := -lmicrohttpd
$(RUNTIME_TOOLS): %: %.o
	@$(CC) $(or $(LINK_bench),$(LINK)) -o $@ $^ $(LIBS_bench) -pthread

$(BUILD)/bench/runtime/npm/.installed: $(wildcard bench/runtime/npm/*)
	@mkdir -p $(@D)
	@cp $^ $(@D)
	@cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# npm ci insists on optional packages for other machines, which not every registry has.
$(BUILD)/bench/queue/npm/.installed: $(wildcard bench/queue/npm/*)
	@mkdir -p $(@D)
	@cp $^ $(@D)
	@cd $(@D) && npm install --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(BUILD)/local/vertex/% $(BUILD)/tests/local/%: COMPILE += $(call cflags,$(PACKAGES_vertex))

$(BUILD)/%.o: %.c $(BUILD)/flags.list
	@mkdir -p $(@D)
	@echo "  cc   $<"
	@$(CC) $(COMPILE) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The assembler includes them, of which -MMD knows nothing.
$(BUILD)/adapters/job_queue_scripts.o: $(wildcard adapters/job_queue/*.lua)
$(BUILD)/adapters/rate_limit_redis.o: adapters/rate_limit/take.lua
$(BUILD)/adapters/document_store_indexes.o: terraform/firestore_indexes.auto.tfvars.json

# The object knows the headers, so it stands for them.
$(BUILD)/%.tidy: %.c $(BUILD)/%.o .clang-tidy
	@echo "  tidy $<"
	@set -o pipefail; clang-tidy --quiet $< -- $(COMPILE) 2>&1 | sed '/ warnings\? generated\.$$/d'
	@touch $@

# Servers from npm that the tests talk to; the lock file says which, to the byte.
$(NPM)/.installed: $(wildcard tests/support/npm/*)
	@mkdir -p $(@D)
	@cp $^ $(@D)
	@echo "  npm  $(@D)"
	@cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.SECONDARY:
.DELETE_ON_ERROR:
-include $(patsubst %.c,$(BUILD)/%.d,$(filter %.c,$(SOURCES))) $(FAULTY:.o=.d)
