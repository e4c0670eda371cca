# Phoenix. `make` alone prints what there is to do.
#
# Everything is found by its place in the tree: a folder under functions/ or local/ is a binary,
# a tests/**/*_test.c is a test program. Nothing needs to be listed here.

.DEFAULT_GOAL := help
MAKEFLAGS     += --no-builtin-rules
SHELL         := /bin/bash

CC       ?= gcc
ifeq ($(origin CC),default)
CC       := gcc
endif
BUILD    ?= build
SANITIZE ?=

PACKAGES := libcurl jansson openssl sqlite3 hiredis
CPPFLAGS += -I. -Iruntime -D_GNU_SOURCE $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
CFLAGS   ?= -O2 -g
CFLAGS   += -std=gnu17 -pthread -fno-omit-frame-pointer -ffunction-sections -fdata-sections \
            -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wpointer-arith -Wwrite-strings -Wvla -Wundef -Wformat=2
LDFLAGS  += -pthread -Wl,--as-needed -Wl,--gc-sections
LDLIBS   += $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm
ifneq ($(SANITIZE),)
CFLAGS   += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
LDFLAGS  += -fsanitize=$(SANITIZE)
else
CPPFLAGS += -D_FORTIFY_SOURCE=2
CFLAGS   += -fstack-protector-strong -fPIE
LDFLAGS  += -pie -Wl,-z,relro,-z,now
endif

# ---- What there is --------------------------------------------------------------------------

FUNCTIONS := $(notdir $(patsubst %/,%,$(dir $(wildcard functions/*/main.c))))
LOCALS    := $(notdir $(patsubst %/,%,$(dir $(wildcard local/*/main.c))))
TESTS     := $(patsubst %.c,%,$(shell find tests -name '*_test.c' | sort))

objects    = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(addsuffix /*.c,$(1))))
LIBRARIES := $(BUILD)/libdomain.a $(BUILD)/libadapters.a $(BUILD)/libfn.a

# ---- Daily work ------------------------------------------------------------------------------

.PHONY: help build run test functions/% local/%
help: ## Show this
	@grep -hE '^[a-zA-Z_/%.-]+:.*?## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' \
		| while IFS=$$'\t' read -r name what; do printf '  make %-20s %s\n' "$$name" "$$what"; done

build: $(addprefix $(BUILD)/bin/,$(FUNCTIONS) $(LOCALS)) ## Build every binary into build/bin

functions/%: ## Build one function alone: make functions/generate_image
	@$(MAKE) --no-print-directory $(BUILD)/bin/$*

local/%: ## Build one part of the local cloud alone: make local/gateway
	@$(MAKE) --no-print-directory $(BUILD)/bin/$*

# ---- How things are built --------------------------------------------------------------------

$(BUILD)/libfn.a: $(call objects,runtime)
$(BUILD)/libadapters.a: $(call objects,adapters adapters/wire)
$(BUILD)/libdomain.a: $(call objects,domain)
$(BUILD)/libsupport.a: $(call objects,tests/support)
$(BUILD)/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	@ar rcs $@ $^

# A binary of functions/ or local/ is all of its folder's .c, and what it needs of the layers below.
define binary
$(BUILD)/bin/$(2): $(call objects,$(1)/$(2)) $(LIBRARIES)
	@mkdir -p $$(@D)
	@echo "  link $(2)"
	@$(CC) $(LDFLAGS) -o $$@ $$^ $(LDLIBS) $$(LDLIBS_$(2))
endef
$(foreach name,$(FUNCTIONS),$(eval $(call binary,functions,$(name))))
$(foreach name,$(LOCALS),$(eval $(call binary,local,$(name))))

$(addprefix $(BUILD)/,$(TESTS)): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/libsupport.a $(LIBRARIES)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs check 2>/dev/null) $(LDLIBS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  cc   $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell test -d $(BUILD) && find $(BUILD) -name '*.d')
