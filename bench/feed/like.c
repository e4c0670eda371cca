/* like STORE WRITERS EACH: so many threads like one creation at once, each for EACH users in turn.
 * Prints "LIKES_PER_S FAILED COUNT": how many failed, and how many the creation says it has. */
#include "domain/likes.h"
#include "fn/clock.h"

#include <err.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define CALL_MS 60000
#define WRITERS_MOST 1000

struct writer {
	pthread_t thread;
	unsigned number, each, failed;
};

static struct document_store *documents;
static struct fn_bytes id;

static void *
write_likes(void *with)
{
	struct writer *writer = with;
	struct fn_arena *arena = fn_arena_new();
	struct fn_error why;

	for (unsigned i = 0; i < writer->each; i++) {
		struct fn_call call = {.arena = arena, .deadline_ms = fn_now_ms() + CALL_MS};
		const struct user user = {
			.id = fn_bytes(fn_textf(arena, "user_%u_%u", writer->number, i))};

		if (!likes_add(&call, documents, &user, id, &why)) {
			writer->failed++;
			warnx("%s", why.message);
		}
		fn_arena_reset(arena);
	}
	fn_arena_drop(arena);
	return NULL;
}

static void
make_creation(struct fn_call *call)
{
	static char text[CREATION_ID_SIZE];
	struct fn_error why;

	creation_new_id("img_", text);
	id = fn_bytes(text);
	const struct creation creation = {
		.id = id,
		.type = "image",
		.status = "succeeded",
		.mime_type = "image/png",
		.owner.id = FN_BYTES("user_bench"),
		.published = true,
	};
	struct document_write write = {
		.kind = DOCUMENT_CREATE,
		.collection = CREATIONS,
		.id = id,
		.fields = creation_to_document(&creation, call),
	};

	if (!document_store_commit(documents, call, &write, 1, &why))
		errx(1, "%s", why.message);
}

int
main(int argc, char **argv)
{
	static struct writer writers[WRITERS_MOST];
	struct fn_call call = {.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + CALL_MS};
	unsigned count = argc == 4 ? (unsigned)atoi(argv[2]) : 0, failed = 0;
	struct document_store_config config = {.emulator_host = ""};
	struct fn_error why;
	int64_t likes;

	if (count < 1 || count > WRITERS_MOST)
		errx(1, "usage: like STORE WRITERS EACH");
	config.url = fn_textf(call.arena, "sqlite:%s", argv[1]);
	if (!document_store_open(&documents, &config, NULL, NULL, &why))
		errx(1, "%s", why.message);
	make_creation(&call);
	int64_t start_ms = fn_now_ms();

	for (unsigned i = 0; i < count; i++) {
		writers[i] = (struct writer){.number = i, .each = (unsigned)atoi(argv[3])};
		pthread_create(&writers[i].thread, NULL, write_likes, &writers[i]);
	}
	for (unsigned i = 0; i < count; i++) {
		pthread_join(writers[i].thread, NULL);
		failed += writers[i].failed;
	}
	double seconds = (double)(fn_now_ms() - start_ms + 1) / 1e3;

	call.deadline_ms = 0;
	if (!likes_count(&call, documents, id, &likes, &why))
		errx(1, "%s", why.message);
	printf("%.0f %u %" PRId64 "\n", (double)likes / seconds, failed, likes);
	return 0;
}
