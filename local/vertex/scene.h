/* scene.h: what a picture of a prompt should show.
 *
 * Common words of the prompt choose the hour, the land, the weather and the figures in it; what
 * the words leave open is drawn by chance from the prompt and the seed together. */
#ifndef SCENE_H
#define SCENE_H

#include "fn/bytes.h"
#include "local/vertex/brush.h"
#include "local/vertex/figure.h"

enum land { HILLS, MOUNTAINS, DUNES, SEA, CITY, FOREST, MEADOW, SEABED, MOONSCAPE };
enum air { CLEAR, CLOUDS, SNOWFALL, RAIN, FIREFLIES, LEAVES, PETALS };

/* The colours of an hour or a season. */
struct mood {
	struct rgb sky[4];    /* from the zenith to the horizon */
	struct rgb light;     /* sun or moon */
	struct rgb far, near; /* land in the distance, and before our feet */
	double stars;         /* 0 none .. 1 many */
	bool moon, aurora;
};

#define SCENE_MOST_FIGURES 3

struct scene {
	double width, height;
	uint64_t seed;        /* of all that must come out alike when asked for again */
	struct chance chance; /* of all the rest */
	struct mood mood;
	enum land land;
	enum air air;
	bool snowy;
	double light_x, light_y; /* of sun or moon */
	double horizon;          /* the height where the land begins */
	struct {
		const struct figure *figure;
		struct rgb colour;
	} figures[SCENE_MOST_FIGURES];
	size_t figure_count;
};

/* The shorter side, which lengths are shares of. */
double scene_side(const struct scene *);

void scene_imagine(
	struct scene *, struct fn_bytes prompt, uint64_t seed, unsigned width, unsigned height);

#endif
