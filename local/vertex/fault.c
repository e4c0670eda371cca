#include "local/vertex/fault.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct {
	const char *name; /* one that ends in ':' is followed by the detail */
	enum fault_kind kind;
	enum fn_code code;
} faults[] = {
	{"ok", FAULT_NONE, FN_OK},
	{"400", FAULT_STATUS, FN_INVALID},
	{"401", FAULT_STATUS, FN_UNAUTHENTICATED},
	{"403", FAULT_STATUS, FN_FORBIDDEN},
	{"404", FAULT_STATUS, FN_NOT_FOUND},
	{"429", FAULT_STATUS, FN_RATE_LIMITED},
	{"500", FAULT_STATUS, FN_INTERNAL},
	{"503", FAULT_STATUS, FN_BUSY},
	{"504", FAULT_STATUS, FN_DEADLINE},
	{"html", FAULT_HTML, FN_OK},
	{"garbage", FAULT_GARBAGE, FN_OK},
	{"hang", FAULT_HANG, FN_OK},
	{"reset", FAULT_RESET, FN_OK},
	{"truncated", FAULT_TRUNCATED, FN_OK},
	{"slow", FAULT_SLOW, FN_OK},
	{"empty", FAULT_EMPTY, FN_OK},
	{"mixed", FAULT_MIXED, FN_OK},
	{"broken-base64", FAULT_BROKEN_BASE64, FN_OK},
	{"not-a-picture", FAULT_NOT_A_PICTURE, FN_OK},
	{"refuse", FAULT_REFUSED_PROMPT, FN_OK},
	{"block:", FAULT_REFUSED_PROMPT, FN_OK},
	{"refuse-output", FAULT_REFUSED_OUTPUT, FN_OK},
	{"finish:", FAULT_REFUSED_OUTPUT, FN_OK},
	{"prose", FAULT_PROSE, FN_OK},
	{"no-content", FAULT_NO_CONTENT, FN_OK},
	{"no-parts", FAULT_NO_PARTS, FN_OK},
	{"code:", FAULT_CODE, FN_OK},
	{"lost", FAULT_LOST, FN_OK},
	{"poll:", FAULT_POLL, FN_OK},
};

static bool
fits(struct fn_bytes name, const char *pattern, struct fn_bytes *detail)
{
	struct fn_bytes wanted = fn_bytes(pattern);

	*detail = (struct fn_bytes){0};
	if (wanted.at[wanted.size - 1] != ':')
		return fn_bytes_equal(name, wanted);
	if (!fn_bytes_starts(name, pattern) || name.size == wanted.size)
		return false;
	*detail = (struct fn_bytes){name.at + wanted.size, name.size - wanted.size};
	return true;
}

bool
fault_named(struct fn_bytes name, struct fault *fault, struct fn_error *err)
{
	struct fn_bytes detail;

	for (size_t i = 0; i < COUNT(faults); i++) {
		if (fits(name, faults[i].name, &detail)) {
			struct fault found = {faults[i].kind, faults[i].code, detail}, inner;
			if (found.kind == FAULT_POLL)
				TRY(fault_named(detail, &inner, err));
			*fault = found;
			return true;
		}
	}
	return fn_fail(err, FN_INVALID, "there is no fault \"%.*s\"", FN_ARG(name));
}
