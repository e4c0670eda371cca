/* plain_http.h: HTTP/1.1 over blocking sockets of this machine, for programs that trust whom they
 * talk to: no checks, no pipelining. What fails ends the program with one line. */
#ifndef PLAIN_HTTP_H
#define PLAIN_HTTP_H

#include <stdbool.h>
#include <stddef.h>

/* A whole message; its memory is used again for the next one. Zero is a valid start. */
struct message {
	char *at; /* head and body, each ended by a NUL: the head's stands for its last newline */
	size_t room;
	size_t head, size; /* bytes of the head, and of both */
};

/* False when the other side has closed the connection instead. */
bool message_read(struct message *, int fd);

void bytes_send(int fd, const void *at, size_t size);

/* The head and the body in one call to the kernel. */
void message_send(int fd, const char *head, const void *body, size_t body_size);

/* Serves each connection to 127.0.0.1:port by a thread of its own; does not return. */
void connections_serve(const char *port, void (*serve)(int fd)) __attribute__((noreturn));

int connection_open(const char *port);

#endif
