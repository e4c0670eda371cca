/* Tables, bars and values, as text. */
#include "tools/phoenixctl/page.h"

#include "tests/support/suite.h"
#include "tools/phoenixctl/text.h"

#include <stdlib.h>
#include <string.h>

static struct fn_arena *arena;
static struct page page;

static void
setup(void)
{
	arena = fn_arena_new();
	page = (struct page){.text.arena = arena, .unicode = true};
	text_begin();
}

static void
teardown(void)
{
	fn_arena_drop(arena);
}

/* ---- Values ---------------------------------------------------------------------------------- */

static const struct {
	int64_t ms;
	const char *span, *ago, *in;
} moments[] = {
	{-5000, "-5 s", "now", "now"},
	{0, "0 s", "now", "now"},
	{999, "0 s", "now", "now"},
	{1000, "1 s", "1 s ago", "in 1 s"},
	{119999, "119 s", "119 s ago", "in 119 s"},
	{120000, "2 min", "2 min ago", "in 2 min"},
	{7199999, "119 min", "119 min ago", "in 119 min"},
	{7200000, "2 h", "2 h ago", "in 2 h"},
	{172799999, "47 h", "47 h ago", "in 47 h"},
	{172800000, "2 d", "2 d ago", "in 2 d"},
	{INT64_MAX, "106751991167 d", "106751991167 d ago", "in 106751991167 d"},
};

/* A moment is told in the unit that a person would use. */
START_TEST(moments_are_told)
{
	ck_assert_bytes_eq(text_span(arena, moments[_i].ms), moments[_i].span);
	ck_assert_bytes_eq(text_ago(arena, moments[_i].ms), moments[_i].ago);
	ck_assert_bytes_eq(text_in(arena, moments[_i].ms), moments[_i].in);
}
END_TEST

static const struct {
	struct fn_bytes text;
	const char *clean;
	size_t width;
} texts[] = {
	{FN_BYTES_INIT(""), "", 0},
	{FN_BYTES_INIT("a red fox"), "a red fox", 9},
	{FN_BYTES_INIT("r\303\244t"), "r\303\244t", 3},
	{FN_BYTES_INIT("\346\227\245\346\234\254"), "\346\227\245\346\234\254", 4},
	{FN_BYTES_INIT("e\314\201"), "e\314\201", 1},
	{FN_BYTES_INIT("\033[2J"), "?[2J", 4},
	{FN_BYTES_INIT("\302\233"
		       "2J"),
		"?2J", 3},
	{FN_BYTES_INIT("one\ntwo\tthree\r"), "one two three ", 14},
	{FN_BYTES_INIT("a\0b"), "a?b", 3},
	{FN_BYTES_INIT("fox\342\200\256xof\342\200\254"), "fox?xof?", 8},
	{FN_BYTES_INIT("\342\200\252a\342\200\254 \342\201\246b\342\201\251"), "?a? ?b?", 7},
	{FN_BYTES_INIT("\377\376"), "??", 2},
	{FN_BYTES_INIT("cut \303"), "cut ?", 5},
	{FN_BYTES_INIT("\355\240\200"), "???", 3},
	{FN_BYTES_INIT("\364\220\200\200"), "?", 1},
	{FN_BYTES_INIT("\357\277\277"), "?", 1},
};

/* What came from outside is one line that a terminal only shows. */
START_TEST(text_is_cleaned)
{
	struct fn_bytes clean = text_clean(arena, texts[_i].text);

	ck_assert_bytes_eq(clean, texts[_i].clean);
	ck_assert_uint_eq(text_width(clean), texts[_i].width);
}
END_TEST

static const struct {
	const char *text;
	size_t width;
	const char *cut;
} cuts[] = {
	{"fox", 0, ""},
	{"fox", 2, "fo"},
	{"fox", 3, "fox"},
	{"fox", 4, "fox"},
	{"\346\227\245\346\234\254", 3, "\346\227\245"},
	{"e\314\201e\314\201", 1, "e\314\201"},
};

/* Text is cut between characters, by the room that they take. */
START_TEST(text_is_cut)
{
	ck_assert_bytes_eq(text_cut(fn_bytes(cuts[_i].text), cuts[_i].width), cuts[_i].cut);
}
END_TEST

static const struct {
	const char *name, *value;
	bool unicode;
} locales[] = {
	{"LANG", "en_GB.UTF-8", true},
	{"LC_CTYPE", "C.utf8", true},
	{"LC_ALL", "no_such_place.UTF-8", true},
	{"LANG", "C", false},
	{"LANG", "de_DE.ISO-8859-1", false},
	{"LANG", "", false},
};

/* Whether the terminal takes more than ASCII is what the locale's name says. */
START_TEST(locale_is_heeded)
{
	unsetenv("LC_ALL");
	unsetenv("LC_CTYPE");
	unsetenv("LANG");
	ck_assert(!text_begin());
	setenv(locales[_i].name, locales[_i].value, 1);
	ck_assert(text_begin() == locales[_i].unicode);
}
END_TEST

/* ---- Bars ------------------------------------------------------------------------------------ */

static const struct {
	int percent;
	const char *bar, *ascii;
} bars[] = {
	{-1, "················", "................"},
	{0, "────────────────   0 %", "----------------   0 %"},
	{3, "────────────────   3 %", "----------------   3 %"},
	{4, "╸───────────────   4 %", "----------------   4 %"},
	{50, "━━━━━━━━────────  50 %", "########--------  50 %"},
	{99, "━━━━━━━━━━━━━━━╸  99 %", "###############-  99 %"},
	{100, "━━━━━━━━━━━━━━━━ 100 %", "################ 100 %"},
};

/* A bar is as full as the job is far. */
START_TEST(bars_are_drawn)
{
	ck_assert_bytes_eq(page_bar(&page, bars[_i].percent), bars[_i].bar);
	page.unicode = false;
	ck_assert_bytes_eq(page_bar(&page, bars[_i].percent), bars[_i].ascii);
}
END_TEST

/* ---- Tables ---------------------------------------------------------------------------------- */

static const struct column columns[] = {
	{.title = "JOB"},
	{.title = "TRY", .right = true},
	{.title = ""},
	{.title = "AGE", .spare = true},
	{.title = "NOTE", .least = 4},
};

#define CELL(literal)                                                                              \
	{                                                                                          \
		.text = FN_BYTES_INIT(literal)                                                     \
	}

static const struct cell cells[] = {
	CELL("vid_1"),
	CELL("1"),
	CELL(""),
	CELL("12 s ago"),
	CELL("it failed twice"),
	CELL("vid_22"),
	CELL("10"),
	CELL(""),
	CELL("now"),
	CELL(""),
};

static const struct {
	size_t width;
	const char *text;
} tables[] = {
	{0, "JOB     TRY  AGE       NOTE\n"
	    "vid_1     1  12 s ago  it failed twice\n"
	    "vid_22   10  now\n"},
	{38, "JOB     TRY  AGE       NOTE\n"
	     "vid_1     1  12 s ago  it failed twice\n"
	     "vid_22   10  now\n"},
	{37, "JOB     TRY  AGE       NOTE\n"
	     "vid_1     1  12 s ago  it failed twi…\n"
	     "vid_22   10  now\n"},
	{27, "JOB     TRY  AGE       NOTE\n"
	     "vid_1     1  12 s ago  it …\n"
	     "vid_22   10  now\n"},
	{26, "JOB     TRY  NOTE\n"
	     "vid_1     1  it failed tw…\n"
	     "vid_22   10\n"},
	{16, "JOB     TRY\n"
	     "vid_1     1\n"
	     "vid_22   10\n"},
	{1, "JOB\n"
	    "vid_1\n"
	    "vid_22\n"},
};

/* A table is as wide as its cells, and no wider than the page. */
START_TEST(table_fits_its_page)
{
	page.width = tables[_i].width;
	page_table(&page, columns, COUNT(columns), cells, 2);
	ck_assert_bytes_eq(page_take(&page), tables[_i].text);
	ck_assert_bytes_eq(page_take(&page), "");
}
END_TEST

/* Where ASCII is all there is, so is the mark of what was cut. */
START_TEST(cut_is_marked_in_ascii)
{
	page.unicode = false;
	page.width = 27;
	page_table(&page, columns, COUNT(columns), cells, 1);
	ck_assert_bytes_eq(page_take(&page), "JOB    TRY  AGE       NOTE\n"
					     "vid_1    1  12 s ago  it f~\n");
}
END_TEST

/* Ink takes no room, ends with what it colours, and is there on a coloured page alone. */
START_TEST(ink_takes_no_room)
{
	static const struct column two[] = {{.title = "A"}, {.title = "B"}};
	static const struct cell row[] = {
		{FN_BYTES_INIT("ab"), INK_RED}, {FN_BYTES_INIT("c"), INK_PLAIN}};

	page_table(&page, two, 2, row, 1);
	page_addf(&page, INK_BOLD, "%d jobs", 2);
	ck_assert_bytes_eq(page_take(&page), "A   B\nab  c\n2 jobs");
	page.coloured = true;
	page_table(&page, two, 2, row, 1);
	page_addf(&page, INK_BOLD, "%d jobs", 2);
	ck_assert_bytes_eq(page_take(&page), "\033[2mA\033[m   \033[2mB\033[m\n"
					     "\033[31mab\033[m  c\n"
					     "\033[1m2 jobs\033[m");
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = moments_are_told, .rows = COUNT(moments)},
		{.test = text_is_cleaned, .rows = COUNT(texts)},
		{.test = text_is_cut, .rows = COUNT(cuts)},
		{.test = locale_is_heeded, .rows = COUNT(locales)},
		{.test = bars_are_drawn, .rows = COUNT(bars)},
		{.test = table_fits_its_page, .rows = COUNT(tables)},
		{.test = cut_is_marked_in_ascii},
		{.test = ink_takes_no_room},
	};

	return suite_run_with("phoenixctl page", cases, COUNT(cases), setup, teardown);
}
