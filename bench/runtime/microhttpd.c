/* microhttpd PORT: hello on libmicrohttpd, with its own epoll loop in one thread. */
#include <err.h>
#include <microhttpd.h>
#include <stdlib.h>

static enum MHD_Result
hello(void *with, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *upload,
	size_t *upload_size, /* NOLINT: its type is fixed */
	void **state)
{
	static char text[] = "Hello, world!\n";
	static int begun;
	struct MHD_Response *response;
	enum MHD_Result result;

	(void)with, (void)url, (void)method, (void)version, (void)upload, (void)upload_size;
	if (*state != &begun) { /* an answer before the request is whole closes the connection */
		*state = &begun;
		return MHD_YES;
	}
	response = MHD_create_response_from_buffer(sizeof(text) - 1, text, MHD_RESPMEM_PERSISTENT);
	MHD_add_response_header(response, "Content-Type", "text/plain");
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

int
main(int argc, char **argv)
{
	uint16_t port = argc == 2 ? (uint16_t)atoi(argv[1]) : 0;

	if (!MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, port, NULL, NULL,
		    hello, NULL, MHD_OPTION_CONNECTION_LIMIT, 20000U, MHD_OPTION_END))
		errx(1, "port %u", port);
	pause();
}
