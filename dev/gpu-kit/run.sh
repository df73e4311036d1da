#!/bin/sh
# Runs the GPU kit: ./run.sh --help
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# Node and Dawn are stored compressed.
for file in bin/node node_modules/webgpu/dist/linux-x64/dawn.node; do
  if [ ! -e "$here/$file" ]; then
    gzip -dc "$here/$file.gz" > "$here/$file.partial"
    chmod 755 "$here/$file.partial"
    mv "$here/$file.partial" "$here/$file"
  fi
done
# The kit's Vulkan loader is for machines that have none.
found=no
for folder in /usr/lib/x86_64-linux-gnu /lib/x86_64-linux-gnu /usr/lib64 /lib64 /usr/lib /usr/local/lib; do
  if [ -e "$folder/libvulkan.so.1" ]; then found=yes; fi
done
if [ "$found" = no ] && [ -e "$here/lib/libvulkan.so.1" ]; then
  LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$here/lib"
  export LD_LIBRARY_PATH
fi
exec "$here/bin/node" "$here/kit.mjs" "$@"
