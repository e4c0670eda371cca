#include "tools/phoenixctl/page.h"

#include "tools/phoenixctl/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define GAP 2 /* columns between cells */
#define BAR_WIDTH 16

/* ---- Ink ----------------------------------------------------------------------------------- */

void
page_add(struct page *page, enum ink ink, struct fn_bytes text)
{
	static const char *const codes[] = {
		[INK_BOLD] = "1",
		[INK_DIM] = "2",
		[INK_RED] = "31",
		[INK_GREEN] = "32",
		[INK_YELLOW] = "33",
		[INK_CYAN] = "36",
	};
	bool inked = page->coloured && ink != INK_PLAIN && text.size > 0;

	if (inked)
		fn_addf(&page->text, "\033[%sm", codes[ink]);
	fn_add(&page->text, text);
	if (inked)
		fn_add(&page->text, FN_BYTES("\033[m"));
}

void
page_addf(struct page *page, enum ink ink, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int size;

	va_start(args, format);
	size = vasprintf(&text, format, args);
	va_end(args);
	page_add(page, ink, (struct fn_bytes){text, size > 0 ? (size_t)size : 0});
	free(text);
}

struct fn_bytes
page_take(struct page *page)
{
	struct fn_bytes text = fn_built(&page->text);

	page->text = (struct fn_builder){.arena = page->text.arena};
	return text;
}

/* ---- Table --------------------------------------------------------------------------------- */

static void
add_blanks(struct page *page, size_t count)
{
	fn_addf(&page->text, "%*s", (int)count, "");
}

static void
add_cell(struct page *page, const struct column *column, size_t width, bool is_last,
	const struct cell *cell)
{
	struct fn_bytes text = cell->text, end = {0};
	size_t taken = text_width(text);

	if (taken > width) {
		end = page->unicode ? FN_BYTES("…") : FN_BYTES("~");
		text = text_cut(text, width - 1);
		taken = text_width(text) + 1;
	}
	if (column->right)
		add_blanks(page, width - taken);
	page_add(page, cell->ink, text);
	page_add(page, cell->ink, end);
	if (!is_last && !column->right)
		add_blanks(page, width - taken);
	if (!is_last)
		add_blanks(page, GAP);
}

static void
add_row(struct page *page, const struct column *columns, const size_t *widths, size_t count,
	const struct cell *cells)
{
	while (count > 0 && (widths[count - 1] == 0 || cells[count - 1].text.size == 0))
		count--;
	for (size_t i = 0; i < count; i++)
		if (widths[i] > 0)
			add_cell(page, &columns[i], widths[i], i + 1 == count, &cells[i]);
	fn_add(&page->text, FN_BYTES("\n"));
}

static size_t *
natural_widths(struct fn_arena *arena, size_t columns, const struct cell *cells, size_t rows)
{
	size_t *widths = fn_arena_zero(arena, columns * sizeof(*widths));

	for (size_t i = 0; i < rows * columns; i++) {
		size_t width = text_width(cells[i].text);

		if (widths[i % columns] < width)
			widths[i % columns] = width;
	}
	return widths;
}

static size_t
total_of(const size_t *widths, size_t count)
{
	size_t total = 0;

	for (size_t i = 0; i < count; i++)
		if (widths[i] > 0)
			total += (total > 0 ? GAP : 0) + widths[i];
	return total;
}

/* Takes a character from the widest column that can give one. */
static bool
narrow(const struct column *columns, size_t *widths, size_t count)
{
	size_t found = count;

	for (size_t i = 0; i < count; i++) {
		bool can_give = columns[i].least > 0 && widths[i] > columns[i].least;

		if (can_give && (found == count || widths[i] > widths[found]))
			found = i;
	}
	if (found < count)
		widths[found]--;
	return found < count;
}

/* The first column always stays. */
static bool
leave_out(const struct column *columns, size_t *widths, size_t count)
{
	size_t last = 0;

	for (size_t i = 1; i < count; i++)
		if (widths[i] > 0 && !columns[last].spare)
			last = i;
	if (last > 0)
		widths[last] = 0;
	return last > 0;
}

/* Columns are left out before the others are narrowed, so that those keep what room there is. */
static void
fit(const struct column *columns, size_t *widths, size_t count, size_t most, struct fn_arena *arena)
{
	size_t *least = fn_arena_alloc(arena, count * sizeof(*least));

	for (size_t i = 0; i < count; i++) {
		bool can_give = columns[i].least > 0 && widths[i] > columns[i].least;

		least[i] = can_give ? columns[i].least : widths[i];
	}
	while (total_of(least, count) > most && leave_out(columns, least, count))
		;
	for (size_t i = 0; i < count; i++)
		if (least[i] == 0)
			widths[i] = 0;
	while (total_of(widths, count) > most && narrow(columns, widths, count))
		;
}

void
page_table(struct page *page, const struct column *columns, size_t count, const struct cell *cells,
	size_t rows)
{
	struct fn_arena *arena = page->text.arena;
	struct cell *all = fn_arena_alloc(arena, (rows + 1) * count * sizeof(*all));
	size_t *widths;

	for (size_t i = 0; i < count; i++)
		all[i] = (struct cell){fn_bytes(columns[i].title), INK_DIM};
	for (size_t i = 0; i < rows * count; i++)
		all[count + i] = cells[i];
	widths = natural_widths(arena, count, all, rows + 1);
	if (page->width > 0)
		fit(columns, widths, count, page->width, arena);
	for (size_t row = 0; row <= rows; row++)
		add_row(page, columns, widths, count, &all[row * count]);
}

/* ---- Bar ----------------------------------------------------------------------------------- */

struct fn_bytes
page_bar(const struct page *page, int percent)
{
	struct fn_builder bar = {.arena = page->text.arena};
	const char *full = page->unicode ? "━" : "#", *half = page->unicode ? "╸" : "-";
	const char *empty = page->unicode ? "─" : "-", *unknown = page->unicode ? "·" : ".";
	int halves = percent * 2 * BAR_WIDTH / 100;

	for (int i = 0; i < BAR_WIDTH; i++)
		fn_add(&bar, fn_bytes(percent < 0           ? unknown
				      : halves >= 2 * i + 2 ? full
				      : halves == 2 * i + 1 ? half
							    : empty));
	if (percent >= 0)
		fn_addf(&bar, " %3d %%", percent);
	return fn_built(&bar);
}
