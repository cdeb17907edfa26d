#!/bin/sh
# A program of a consumer: it stands before another one.
exec "$@"
