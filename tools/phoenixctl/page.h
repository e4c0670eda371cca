/* page.h: text for a person, as wide and as colourful as the terminal takes it. */
#ifndef PAGE_H
#define PAGE_H

#include "fn/bytes.h"

enum ink {
	INK_PLAIN,
	INK_BOLD,
	INK_DIM,
	INK_RED,
	INK_GREEN,
	INK_YELLOW,
	INK_CYAN,
};

struct page {
	struct fn_builder text;
	size_t width;  /* in columns; 0: any, for what no person reads */
	bool coloured; /* else inks are ignored */
	bool unicode;  /* else bars and ellipses are ASCII */
};

/* Text that came from outside is cleaned by the caller (text.h). */
void page_add(struct page *, enum ink, struct fn_bytes);
void page_addf(struct page *, enum ink, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What was added so far; the page is empty again. */
struct fn_bytes page_take(struct page *);

struct column {
	const char *title;
	bool right;
	size_t least; /* it may be cut to so many characters; 0: never */
	bool spare;   /* the first to be left out */
};

struct cell {
	struct fn_bytes text;
	enum ink ink;
};

/* A title line and rows of aligned cells, which stand in `cells` one row after the other. Where the
 * page is too narrow the widest columns that may be cut are cut; where that is not enough, columns
 * are left out from the right, and those with nothing in them are anyway. */
void page_table(
	struct page *, const struct column *, size_t count, const struct cell *cells, size_t rows);

/* "━━━━━━━━╸─────── 52 %", for a cell; a dotted one where the percentage is not known (-1). */
struct fn_bytes page_bar(const struct page *, int percent);

#endif
