/* text.h: how values look to a person. */
#ifndef TEXT_H
#define TEXT_H

#include "fn/bytes.h"

/* To be called once: from now on text is UTF-8, whatever the locale. Whether the terminal takes
 * more than ASCII, as the environment has it. */
bool text_begin(void);

/* One line of valid UTF-8: what others have written must not steer a terminal. */
struct fn_bytes text_clean(struct fn_arena *, struct fn_bytes);

/* Of clean text: the columns that it takes, and its longest beginning within so many. */
size_t text_width(struct fn_bytes);
struct fn_bytes text_cut(struct fn_bytes, size_t width);

/* "0 s", "119 s", "2 min", "47 h", "2 d": rounded down. */
struct fn_bytes text_span(struct fn_arena *, int64_t ms);

/* A moment so long before or after the present: "12 s ago", "in 3 min". Clocks differ, so that one
 * on the wrong side of it is "now". */
struct fn_bytes text_ago(struct fn_arena *, int64_t ms);
struct fn_bytes text_in(struct fn_arena *, int64_t ms);

#endif
