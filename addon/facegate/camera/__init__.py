"""Where pictures come from: RTSP cameras and clips."""
