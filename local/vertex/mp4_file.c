#include "local/vertex/mp4_file.h"

#include <assert.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <stdlib.h>

#define QUALITY 27 /* x264's constant rate factor: smaller is better, and larger */
#define SOUND_BITS_PER_S 64000
#define HEADER_SIZE "16384" /* bytes kept at the front for what is known only at the end */

struct track {
	AVCodecContext *codec;
	AVStream *stream;
	AVFrame *frame;
	int64_t next_pts;
};

struct mp4_file {
	AVFormatContext *format;
	struct SwsContext *to_yuv;
	AVPacket *packet;
	struct track pictures, sound;
	int samples; /* that wait in sound.frame */
};

static bool
check(int result, const char *step, struct fn_error *err)
{
	char why[AV_ERROR_MAX_STRING_SIZE];

	if (result >= 0)
		return true;
	av_strerror(result, why, sizeof(why));
	return fn_fail(err, FN_INTERNAL, "%s: %s", step, why);
}

/* ---- Opening --------------------------------------------------------------------------------- */

static AVCodecContext *
codec_new(const char *name)
{
	const AVCodec *codec = avcodec_find_encoder_by_name(name);
	AVCodecContext *made = codec ? avcodec_alloc_context3(codec) : NULL;

	if (made) {
		made->thread_count = 1;
		made->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
	}
	return made;
}

static bool
track_open(
	struct track *track, AVFormatContext *format, AVDictionary **options, struct fn_error *err)
{
	TRY(check(avcodec_open2(track->codec, NULL, options), "encoder", err));
	track->stream = avformat_new_stream(format, NULL);
	track->frame = av_frame_alloc();
	assert(track->stream && track->frame);
	track->stream->time_base = track->codec->time_base;
	return check(avcodec_parameters_from_context(track->stream->codecpar, track->codec),
		"encoder", err);
}

static bool
open_pictures(
	struct mp4_file *file, unsigned width, unsigned height, unsigned rate, struct fn_error *err)
{
	AVCodecContext *codec = file->pictures.codec = codec_new("libx264");
	AVDictionary *options = NULL;

	if (!codec)
		return fn_fail(err, FN_INTERNAL, "there is no encoder for H.264");
	codec->width = (int)width;
	codec->height = (int)height;
	codec->pix_fmt = AV_PIX_FMT_YUV420P;
	codec->time_base = (AVRational){1, (int)rate};
	codec->framerate = (AVRational){(int)rate, 1};
	codec->gop_size = (int)rate * 2;
	av_dict_set(&options, "preset", "superfast", 0);
	av_dict_set_int(&options, "crf", QUALITY, 0);
	bool ok = track_open(&file->pictures, file->format, &options, err);
	av_dict_free(&options);
	TRY(ok);

	AVFrame *frame = file->pictures.frame;
	frame->format = codec->pix_fmt;
	frame->width = codec->width;
	frame->height = codec->height;
	TRY(check(av_frame_get_buffer(frame, 0), "picture", err));
	file->to_yuv = sws_getContext(codec->width, codec->height, AV_PIX_FMT_0RGB32, codec->width,
		codec->height, codec->pix_fmt, SWS_BILINEAR, NULL, NULL, NULL);
	assert(file->to_yuv);
	return true;
}

static bool
open_sound(struct mp4_file *file, struct fn_error *err)
{
	AVCodecContext *codec = file->sound.codec = codec_new("aac");

	if (!codec)
		return fn_fail(err, FN_INTERNAL, "there is no encoder for AAC");
	codec->sample_fmt = AV_SAMPLE_FMT_FLTP;
	codec->sample_rate = MP4_SOUND_RATE;
	codec->ch_layout = (AVChannelLayout)AV_CHANNEL_LAYOUT_MONO;
	codec->bit_rate = SOUND_BITS_PER_S;
	codec->time_base = (AVRational){1, MP4_SOUND_RATE};
	TRY(track_open(&file->sound, file->format, NULL, err));

	AVFrame *frame = file->sound.frame;
	frame->format = codec->sample_fmt;
	frame->sample_rate = codec->sample_rate;
	frame->nb_samples = codec->frame_size;
	TRY(check(av_channel_layout_copy(&frame->ch_layout, &codec->ch_layout), "sound", err));
	return check(av_frame_get_buffer(frame, 0), "sound", err);
}

static bool
begin(struct mp4_file *file, struct fn_error *err)
{
	AVDictionary *options = NULL;

	TRY(check(avio_open_dyn_buf(&file->format->pb), "memory", err));
	av_dict_set(&options, "moov_size", HEADER_SIZE, 0);
	int result = avformat_write_header(file->format, &options);
	av_dict_free(&options);
	return check(result, "mp4", err);
}

bool
mp4_file_open(struct mp4_file **opened, unsigned width, unsigned height, unsigned rate,
	bool has_sound, struct fn_error *err)
{
	struct mp4_file *file = calloc(1, sizeof(*file));

	assert(file);
	av_log_set_level(AV_LOG_ERROR);
	file->packet = av_packet_alloc();
	assert(file->packet);
	if (check(avformat_alloc_output_context2(&file->format, NULL, "mp4", NULL), "mp4", err) &&
		open_pictures(file, width, height, rate, err) &&
		(!has_sound || open_sound(file, err)) && begin(file, err)) {
		*opened = file;
		return true;
	}
	mp4_file_close(file);
	return false;
}

static void
track_close(struct track *track)
{
	avcodec_free_context(&track->codec);
	av_frame_free(&track->frame);
}

void
mp4_file_close(struct mp4_file *file)
{
	uint8_t *bytes = NULL;

	if (!file)
		return;
	track_close(&file->pictures);
	track_close(&file->sound);
	sws_freeContext(file->to_yuv);
	av_packet_free(&file->packet);
	if (file->format && file->format->pb)
		avio_close_dyn_buf(file->format->pb, &bytes);
	av_free(bytes);
	avformat_free_context(file->format);
	free(file);
}

/* ---- Adding ---------------------------------------------------------------------------------- */

/* A NULL frame brings out what the encoder still holds back. */
static bool
encode(struct mp4_file *file, struct track *track, AVFrame *frame, struct fn_error *err)
{
	AVPacket *packet = file->packet;
	int result;

	TRY(check(avcodec_send_frame(track->codec, frame), "encoder", err));
	while ((result = avcodec_receive_packet(track->codec, packet)) == 0) {
		if (packet->duration == 0)
			packet->duration = 1;
		av_packet_rescale_ts(packet, track->codec->time_base, track->stream->time_base);
		packet->stream_index = track->stream->index;
		TRY(check(av_interleaved_write_frame(file->format, packet), "mp4", err));
	}
	return result == AVERROR(EAGAIN) || result == AVERROR_EOF || check(result, "encoder", err);
}

bool
mp4_file_add_picture(struct mp4_file *file, cairo_surface_t *surface, struct fn_error *err)
{
	AVFrame *frame = file->pictures.frame;

	cairo_surface_flush(surface);
	const uint8_t *pixels[] = {cairo_image_surface_get_data(surface)};
	const int strides[] = {cairo_image_surface_get_stride(surface)};
	TRY(check(av_frame_make_writable(frame), "picture", err));
	sws_scale(file->to_yuv, pixels, strides, 0, frame->height, frame->data, frame->linesize);
	frame->pts = file->pictures.next_pts++;
	return encode(file, &file->pictures, frame, err);
}

static bool
encode_sound(struct mp4_file *file, struct fn_error *err)
{
	AVFrame *frame = file->sound.frame;

	frame->nb_samples = file->samples;
	frame->pts = file->sound.next_pts;
	file->sound.next_pts += file->samples;
	file->samples = 0;
	return encode(file, &file->sound, frame, err);
}

bool
mp4_file_add_sound(struct mp4_file *file, const float *samples, size_t count, struct fn_error *err)
{
	AVFrame *frame = file->sound.frame;

	for (size_t i = 0; i < count; i++) {
		if (file->samples == 0)
			TRY(check(av_frame_make_writable(frame), "sound", err));
		((float *)(void *)frame->data[0])[file->samples++] = samples[i];
		if (file->samples == file->sound.codec->frame_size)
			TRY(encode_sound(file, err));
	}
	return true;
}

bool
mp4_file_finish(
	struct mp4_file *file, struct fn_arena *arena, struct fn_bytes *mp4, struct fn_error *err)
{
	uint8_t *bytes = NULL;

	TRY(encode(file, &file->pictures, NULL, err));
	if (file->samples > 0)
		TRY(encode_sound(file, err));
	if (file->sound.codec)
		TRY(encode(file, &file->sound, NULL, err));
	TRY(check(av_write_trailer(file->format), "mp4", err));
	int size = avio_close_dyn_buf(file->format->pb, &bytes);
	file->format->pb = NULL;
	*mp4 = fn_bytes_copy(arena, (struct fn_bytes){(const char *)bytes, (size_t)size});
	av_free(bytes);
	return true;
}
