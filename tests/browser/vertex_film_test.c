/* The stand-in's films in a real browser. film.js does the watching. */
#include "local/vertex/film.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHROMIUM "/usr/bin/chromium"
#define EXIT_SKIPPED 77 /* as automake has it */

static const struct filming films[] = {
	{{FN_BYTES_INIT("a red fox in the snow"), 1, 640, 360}, 4, true},
	{{FN_BYTES_INIT("a boat on the sea"), 2, 360, 640}, 4, false},
};

/* A browser plays the whole film, with sound and without. */
START_TEST(film_plays)
{
	const struct filming *filming = &films[_i];
	const char *npm = getenv("PHOENIX_NPM") ? getenv("PHOENIX_NPM") : "build/npm";
	struct fn_arena *arena = fn_arena_new();
	const char *path = fn_textf(arena, "%s/film.mp4", temp_folder());
	struct fn_error err = {0};
	struct fn_bytes mp4;

	ck_assert_msg(film_make(filming, arena, &mp4, &err), "%s", err.message);
	FILE *file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(mp4.at, 1, mp4.size, file), mp4.size);
	ck_assert_int_eq(fclose(file), 0);
	const char *command = fn_textf(arena,
		"NODE_PATH='%s/node_modules' node tests/browser/film.js '%s' %u %u %u 2>&1", npm,
		path, filming->scene.width, filming->scene.height, filming->duration_s);
	ck_assert_int_eq(system(command), 0);
	fn_arena_drop(arena);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = film_plays, .rows = COUNT(films)},
	};

	if (access(CHROMIUM, X_OK) != 0) {
		puts("film: skipped, since there is no " CHROMIUM);
		return EXIT_SKIPPED;
	}
	return suite_run("film", cases, COUNT(cases));
}
