#!/usr/bin/env bash
# Make a user, and a folder of its own to work in, as root. Usage: bash make_user.bash NAME UID GID FOLDER
set -euo pipefail
name=$1 uid=$2 gid=$3 folder=$4

# Ubuntu's images since 24.04 have a user with the id that most people have.
if taken=$(getent passwd "$uid" | cut -d : -f 1) && [ -n "$taken" ]; then userdel --remove "$taken" 2>/dev/null; fi
getent group "$gid" >/dev/null || groupadd --gid "$gid" "$name"
useradd --uid "$uid" --gid "$gid" --create-home --shell /bin/bash "$name"
# Graphics devices of the host belong to these groups.
for group in video render; do
  if getent group "$group" >/dev/null; then usermod --append --groups "$group" "$name"; fi
done
install --directory --owner "$uid" --group "$gid" "$folder"
echo ". $folder/docker/environment.bash" >>"/home/$name/.bashrc"
