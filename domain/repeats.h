/* repeats.h: what was asked for before, to the letter and with the same seed, is not painted again.
 *
 * A note in the collection "repeats" says which creation has come of a request. Whoever asks the
 * same within IMAGE_REPEAT_S is given a copy of its picture, as long as that creation is there. It
 * does not matter whose it is, or whether it was published: the model would have painted as much
 * for anybody with these words and this seed, and nothing else of it is told. Who gives no seed
 * wants another picture each time.
 *
 * This saves the model's work and no more, so whatever fails is as if there were no note. */
#ifndef REPEATS_H
#define REPEATS_H

#include "adapters/document_store.h"
#include "adapters/image_model.h"
#include "adapters/object_store.h"

struct repeats_config {
	long kept_s; /* IMAGE_REPEAT_S; 0: all is painted */
};

extern const struct fn_setting repeats_settings[];

struct repeats {
	struct document_store *documents;
	struct object_store *objects;
	const char *model; /* IMAGE_MODEL: another one paints another picture */
	struct repeats_config config;
};

/* True: this is the picture. */
bool repeats_find(
	const struct repeats *, struct fn_call *, const struct image_request *, struct picture *);

/* The request was painted, and will be this creation's. */
void repeats_note(const struct repeats *, struct fn_call *, const struct image_request *,
	struct fn_bytes creation);

#endif
