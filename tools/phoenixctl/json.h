/* json.h: how values look in JSON. What is not known is null, so that members never go missing. */
#ifndef PHOENIXCTL_JSON_H
#define PHOENIXCTL_JSON_H

#include "fn/bytes.h"

#include <jansson.h>

json_t *json_of_text(struct fn_arena *, struct fn_bytes); /* empty: null */
json_t *json_of_moment(int64_t unix_ms);                  /* RFC 3339; 0: null */

struct json_count {
	const char *name;
	int64_t count; /* below 0: null */
};

void json_put_counts(json_t *object, const struct json_count *, size_t count);

#endif
