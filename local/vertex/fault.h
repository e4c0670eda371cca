/* fault.h: how a model's answer can go wrong, by the names in IMAGEN_FAULTS and VEO_FAULTS. */
#ifndef FAULT_H
#define FAULT_H

#include "fn/bytes.h"

enum fault_kind {
	FAULT_NONE,

	/* in place of what the model says */
	FAULT_STATUS,  /* an error of `code` */
	FAULT_HTML,    /* 502 with a page of HTML, from some proxy */
	FAULT_GARBAGE, /* 200 with a body that is no JSON */
	FAULT_HANG,    /* nothing, until the deadline or until the client hangs up */

	/* in how it is sent */
	FAULT_RESET,     /* the connection ends right after the head */
	FAULT_TRUNCATED, /* ...or in the middle of the body */
	FAULT_SLOW,      /* all of the body, in pieces with pauses */

	/* in what the model says */
	FAULT_EMPTY, /* neither a picture nor a word why */
	FAULT_MIXED, /* the picture stands behind something that is none */
	FAULT_BROKEN_BASE64,
	FAULT_NOT_A_PICTURE,  /* sound base64 of text */
	FAULT_REFUSED_PROMPT, /* `detail` is the reason */
	FAULT_REFUSED_OUTPUT, /* `detail` is the reason */
	FAULT_PROSE,          /* Gemini: words only */
	FAULT_NO_CONTENT,     /* Gemini: a candidate without content */
	FAULT_NO_PARTS,       /* Gemini: content without parts */
	FAULT_CODE,           /* Veo: the operation fails; `detail` is gRPC's number */
	FAULT_LOST,           /* Veo: nobody knows the operation any more */
	FAULT_POLL,           /* Veo: the poll that would tell the end, by the name in `detail` */
};

struct fault {
	enum fault_kind kind;
	enum fn_code code;
	struct fn_bytes detail; /* empty: whatever is usual */
};

/* One name of the list: "429", "hang", "block:SAFETY", "code:8", "poll:503", ...; "ok" is no fault.
 * FN_INVALID: nothing is called so. */
FN_MUST bool fault_named(struct fn_bytes name, struct fault *, struct fn_error *);

#endif
