#include "local/vertex/scene.h"

#include "local/vertex/words.h"

enum mood_name {
	DAY,
	DAWN,
	SUNSET,
	DUSK,
	NIGHT,
	WINTER,
	STORM,
	DESERT,
	AUTUMN,
	SPRING,
	AURORA,
	DEEP,
	SPACE,
};

#define SKY(a, b, c, d)                                                                            \
	{                                                                                          \
		RGB(0x##a), RGB(0x##b), RGB(0x##c), RGB(0x##d)                                     \
	}

static const struct mood moods[] = {
	[DAY] = {.sky = SKY(2f78bd, 64a8dc, abd7ee, f6efd9),
		.light = RGB(0xfff6d8),
		.far = RGB(0x9cc4cf),
		.near = RGB(0x1d4b44)},
	[DAWN] = {.sky = SKY(54689f, 9f8dc0, f2b3b2, ffe4c6),
		.light = RGB(0xfff1dc),
		.far = RGB(0xc9a2b8),
		.near = RGB(0x352c4b)},
	[SUNSET] = {.sky = SKY(2c2a5e, 8b3c76, ea6a50, ffc972),
		.light = RGB(0xffedbb),
		.far = RGB(0xb9526c),
		.near = RGB(0x251636)},
	[DUSK] = {.sky = SKY(131b44, 3d3c7c, 8c5c98, eba08d),
		.light = RGB(0xfde6d2),
		.far = RGB(0x6c588e),
		.near = RGB(0x131230),
		.stars = 0.4,
		.moon = true},
	[NIGHT] = {.sky = SKY(060b24, 0f1d48, 20396c, 436a97),
		.light = RGB(0xf6f1dc),
		.far = RGB(0x2c4d79),
		.near = RGB(0x070f23),
		.stars = 1,
		.moon = true},
	[WINTER] = {.sky = SKY(6f9ac4, 9fbddb, cfe0ee, fbeee6),
		.light = RGB(0xfffaee),
		.far = RGB(0xb9cde0),
		.near = RGB(0x3c5b7d)},
	[STORM] = {.sky = SKY(20262f, 3d4854, 66747f, a9ada6),
		.light = RGB(0xdfe3dc),
		.far = RGB(0x5c6a73),
		.near = RGB(0x151b20)},
	[DESERT] = {.sky = SKY(3a8bbd, 88c2d6, f4dcae, ffcf95),
		.light = RGB(0xfff4d0),
		.far = RGB(0xe3a877),
		.near = RGB(0x6e321e)},
	[AUTUMN] = {.sky = SKY(5f88ac, bfc3b4, f5d7a5, ffbd79),
		.light = RGB(0xfff0c9),
		.far = RGB(0xd59462),
		.near = RGB(0x431f1a)},
	[SPRING] = {.sky = SKY(70b2e4, aed8f1, e2f0e8, fff3dd),
		.light = RGB(0xfffbe6),
		.far = RGB(0xa9d3aa),
		.near = RGB(0x2a6144)},
	[AURORA] = {.sky = SKY(03081c, 071d3a, 0e4450, 2a7a70),
		.light = RGB(0xe9f6ea),
		.far = RGB(0x17474f),
		.near = RGB(0x040f1b),
		.stars = 1,
		.moon = true,
		.aurora = true},
	[DEEP] = {.sky = SKY(7fd8dc, 2a9bb8, 0f5c86, 083a60),
		.light = RGB(0xd8fbf4),
		.far = RGB(0x0e4e71),
		.near = RGB(0x04182c)},
	[SPACE] = {.sky = SKY(05040f, 120b2e, 2c1554, 562879),
		.light = RGB(0xf3e3c8),
		.far = RGB(0x4a3470),
		.near = RGB(0x110b26),
		.stars = 1,
		.moon = true},
};

/* What a word can say. The hour is stronger than the season: snow at night is dark. */
enum aspect { HOUR, SEASON, LAND, AIR, ASPECTS };
#define UNSAID (-1)

static const struct {
	enum aspect aspect;
	int value;
	const char *words; /* singular, lower case */
} meanings[] = {
	{HOUR, DAY, "day noon sunny summer"},
	{HOUR, DAWN, "dawn morning sunrise mist misty fog foggy"},
	{HOUR, SUNSET, "sunset evening fire volcano golden"},
	{HOUR, DUSK, "dusk twilight neon cyberpunk"},
	{HOUR, NIGHT, "night midnight moon moonlight moonlit star starry dark firefly fireflies"},
	{HOUR, AURORA, "aurora northern arctic"},
	{HOUR, STORM, "storm stormy rain rainy thunder"},
	{HOUR, SPACE, "space galaxy planet nebula astronaut mars rocket spaceship"},
	{HOUR, DEEP, "underwater reef coral whale fish jellyfish"},
	{SEASON, WINTER, "snow snowy winter ice icy frozen penguin christmas ski"},
	{SEASON, DESERT, "desert dune sand camel cactus pyramid"},
	{SEASON, AUTUMN, "autumn fall october november"},
	{SEASON, SPRING, "spring flower meadow garden blossom rabbit butterfly butterflies"},
	{LAND, HILLS, "hill valley countryside farm"},
	{LAND, MOUNTAINS, "mountain alps peak volcano aurora canyon castle"},
	{LAND, DUNES, "desert dune sand camel cactus pyramid"},
	{LAND, SEA, "sea ocean beach lake island marsh river harbor harbour coast wave"},
	{LAND, SEA, "boat ship sailboat lighthouse"},
	{LAND, CITY, "city cities street town skyline rooftop robot neon cyberpunk"},
	{LAND, CITY, "tokyo paris london york"},
	{LAND, FOREST, "forest wood jungle pine tree wolf wolves bear owl fox deer"},
	{LAND, MEADOW, "meadow field garden flower rabbit spring butterfly butterflies"},
	{LAND, MOONSCAPE, "space galaxy planet nebula astronaut mars rocket spaceship"},
	{AIR, SNOWFALL, "snow snowy winter christmas penguin"},
	{AIR, RAIN, "rain rainy storm stormy thunder"},
	{AIR, CLOUDS, "cloud cloudy sky"},
	{AIR, FIREFLIES, "firefly fireflies magic magical fairy"},
	{AIR, LEAVES, "autumn leaves leaf october"},
	{AIR, PETALS, "blossom petal flower spring"},
};

static const struct {
	const char *word;
	struct rgb colour;
} colours[] = {
	{"red", RGB(0xd8402f)},
	{"orange", RGB(0xea7d2e)},
	{"yellow", RGB(0xf2c53d)},
	{"green", RGB(0x4e9d5b)},
	{"blue", RGB(0x3f7fd0)},
	{"purple", RGB(0x8556b8)},
	{"pink", RGB(0xee8fb0)},
	{"white", RGB(0xf4f2ec)},
	{"black", RGB(0x33313c)},
	{"gray", RGB(0x8d9199)},
	{"grey", RGB(0x8d9199)},
	{"brown", RGB(0x8a5a3a)},
	{"golden", RGB(0xe8b53f)},
	{"silver", RGB(0xc3c9d2)},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* FNV-1a, 64 bits. */
static uint64_t
hash(struct fn_bytes text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < text.size; i++)
		h = (h ^ (unsigned char)text.at[i]) * 0x100000001b3;
	return h;
}

static bool
colour_named(struct fn_bytes word, struct rgb *colour)
{
	for (size_t i = 0; i < COUNT(colours); i++) {
		if (fn_bytes_is_nocase(word, colours[i].word)) {
			*colour = colours[i].colour;
			return true;
		}
	}
	return false;
}

static void
add_figure(struct scene *scene, const struct figure *figure, struct rgb colour)
{
	for (size_t i = 0; i < scene->figure_count; i++)
		if (scene->figures[i].figure == figure)
			return;
	if (scene->figure_count < SCENE_MOST_FIGURES) {
		scene->figures[scene->figure_count].figure = figure;
		scene->figures[scene->figure_count++].colour = colour;
	}
}

/* The first word that says something of an aspect decides it; a colour goes to the figure that
 * follows it. */
static void
read_prompt(struct scene *scene, struct fn_bytes prompt, int said[ASPECTS])
{
	struct rgb colour = {0};
	bool coloured = false;

	for (struct fn_bytes word; (word = word_next(&prompt)).size > 0;) {
		for (size_t i = 0; i < COUNT(meanings); i++)
			if (said[meanings[i].aspect] == UNSAID &&
				word_is_among(word, meanings[i].words))
				said[meanings[i].aspect] = meanings[i].value;

		const struct figure *figure = figure_named(word);
		if (figure)
			add_figure(scene, figure, coloured ? colour : figure->colour);
		coloured = colour_named(word, &colour) || (coloured && !figure);
	}
}

static int
any_of(struct chance *chance, const int choices[], size_t count)
{
	return choices[chance_below(chance, (int)count)];
}

static bool
has_figure_in(const struct scene *scene, enum figure_place place)
{
	for (size_t i = 0; i < scene->figure_count; i++)
		if (scene->figures[i].figure->place == place)
			return true;
	return false;
}

/* What was not said is chosen so that the parts fit together. */
static void
choose(struct scene *scene, const int said[ASPECTS])
{
	static const int hours[] = {DAY, DAWN, SUNSET, DUSK, NIGHT, AUTUMN, SPRING};
	static const int lands[] = {HILLS, MOUNTAINS, SEA, FOREST, MEADOW};
	static const int winter_lands[] = {HILLS, MOUNTAINS, FOREST};
	struct chance *chance = &scene->chance;

	int season = said[SEASON];
	int hour = said[HOUR] != UNSAID ? said[HOUR] : season;
	int any_hour = any_of(chance, hours, COUNT(hours));
	int any_land = season == WINTER ? any_of(chance, winter_lands, COUNT(winter_lands))
					: any_of(chance, lands, COUNT(lands));
	if (hour == UNSAID)
		hour = any_hour;
	scene->land = said[LAND] != UNSAID ? (enum land)said[LAND] : (enum land)any_land;
	scene->air = said[AIR] != UNSAID ? (enum air)said[AIR] : CLEAR;
	scene->snowy = season == WINTER;

	if (scene->land == SEABED)
		hour = DEEP;
	else if (hour == DEEP)
		scene->land = SEABED;
	else if (has_figure_in(scene, ON_WATER))
		scene->land = SEA;
	if (scene->air == CLEAR && (hour == DAY || hour == SPRING))
		scene->air = CLOUDS;
	scene->mood = moods[hour];
}

/* A breath of another colour, so that two sunsets are not the same. */
static void
vary(struct mood *mood, struct chance *chance)
{
	struct rgb tint;

	tint.r = chance_between(chance, 0, 1);
	tint.g = chance_between(chance, 0, 1);
	tint.b = chance_between(chance, 0, 1);
	for (size_t i = 0; i < COUNT(mood->sky); i++)
		mood->sky[i] = rgb_mix(mood->sky[i], tint, 0.07);
	mood->far = rgb_mix(mood->far, tint, 0.1);
	mood->near = rgb_mix(mood->near, tint, 0.05);
}

double
scene_side(const struct scene *scene)
{
	return scene->width < scene->height ? scene->width : scene->height;
}

void
scene_imagine(
	struct scene *scene, struct fn_bytes prompt, uint64_t seed, unsigned width, unsigned height)
{
	static const enum figure_place places[] = {
		[SEA] = ON_WATER, [SEABED] = IN_WATER, [MOONSCAPE] = IN_SKY};
	int said[ASPECTS] = {UNSAID, UNSAID, UNSAID, UNSAID};

	*scene = (struct scene){.width = width, .height = height};
	scene->seed = hash(prompt) ^ seed * 0x9e3779b97f4a7c15;
	scene->chance.state = scene->seed;
	read_prompt(scene, prompt, said);
	choose(scene, said);
	vary(&scene->mood, &scene->chance);
	if (scene->figure_count == 0) {
		const struct figure *figure = figure_any(&scene->chance, places[scene->land]);

		add_figure(scene, figure, figure->colour);
	}
	scene->horizon = height * chance_between(&scene->chance, 0.5, 0.58);
	scene->light_x = width * chance_between(&scene->chance, 0.2, 0.8);
	scene->light_y = height * chance_between(&scene->chance, 0.16, 0.34);
}
