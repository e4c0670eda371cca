/* measure.h: what the C programs of this comparison have in common: their command line.
 *
 *   enqueue FIRST COUNT    one producer; prints jobs per second
 *   work COUNT WORKERS     as many jobs wait; prints jobs per second until none is left
 *   latency COUNT          one idle worker, a job now and then; prints microseconds, one a line
 *   steady FIRST COUNT     enqueues a job and works off another, again and again; prints jobs per
 *                          second */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>

#define PAYLOAD_X40 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define PAYLOAD                                                                                    \
	PAYLOAD_X40 PAYLOAD_X40 PAYLOAD_X40 PAYLOAD_X40 PAYLOAD_X40 PAYLOAD_X40 PAYLOAD_X40        \
		PAYLOAD_X40 PAYLOAD_X40 PAYLOAD_X40

/* Each thread opens one of its own; `with` is what open gave. A failure ends the process. */
struct contender {
	void *(*open)(const char *redis_url);
	void (*enqueue)(void *with, long number);
	void (*work)(void *with);       /* until the queue is empty */
	int64_t (*receive)(void *with); /* waits for a job; its start, by now_us */
};

int measure_main(int argc, char **argv, const struct contender *);

int64_t now_us(void);
_Noreturn void give_up(const char *why);

#endif
