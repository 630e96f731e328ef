# shellcheck shell=bash
# How base-images.sh makes the root folder of a minimal Debian from the mirrors that this machine itself uses. Sourced.

# what apt already knows decides: no mirror is written down anywhere
mirrors() { # label
  # shellcheck disable=SC2016 # apt fills these in
  apt-get indextargets --format '$(ORIGIN) $(LABEL) $(CODENAME) $(COMPONENT) $(IDENTIFIER) $(REPO_URI)' |
    awk -v c="$CODENAME" -v l="$1" '$1 == "Debian" && $2 == l && $3 ~ ("^" c "(-security|-updates)?$") && $4 == "main" && $5 == "Packages" {print $6, $3}' | sort -u
}
# proxies and the like of the machine, for the time of the making
borrow_apt() { # root
  apt-config dump | grep -E '^Acquire::(http|https|ftp)(::| )' >"$1/etc/apt/apt.conf.d/00borrowed" || true
  { mirrors Debian; mirrors Debian-Security; } | sed 's/.*/deb & main/' >"$1/etc/apt/sources.list"
}
upgrade() { # root
  cp --dereference /etc/resolv.conf /etc/hosts "$1/etc/"
  chroot "$1" apt-get -q update
  DEBIAN_FRONTEND=noninteractive chroot "$1" apt-get -q -y -o APT::Sandbox::User=root upgrade
  DEBIAN_FRONTEND=noninteractive chroot "$1" apt-get -q -y --purge autoremove
}

# Nothing of this machine stays (addresses, names, logs), nor what no program reads. Copyright files do: licence scans want them.
strip_root() { # root
  umount -l "$1/proc" "$1/sys" 2>/dev/null || true
  rm -f "$1"/etc/{resolv.conf,hostname,hosts,.pwd.lock} "$1"/etc/apt/sources.list "$1"/etc/apt/apt.conf.d/00borrowed
  # shellcheck disable=SC2115 # make_root refuses an empty name
  rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/{apt,debconf,ldconfig}/* "$1"/var/log/* "$1"/tmp/* "$1"/run/* "$1"/dev/*
  rm -rf "$1"/usr/share/{man,info,locale,lintian,linda,groff}/* "$1"/var/lib/dpkg/*-old "$1"/etc/{passwd,group,shadow,gshadow,subuid,subgid}-
  find "$1/usr/share/doc" -type f ! -name copyright -delete
  find "$1/usr/share/doc" -type l ! -name copyright ! -xtype d -delete
  find "$1/usr/share/doc" -depth -type d -empty -delete
  : >"$1/etc/machine-id"
  # files that were written today would make other bytes tomorrow
  find "$1" -newermt "@$2" -exec touch -hd "@$2" {} +
}

# What the pipeline's own image has more than the base, as a layer over it: only what is new is in the folder afterwards.
add_python() { # root, folder
  mkdir "$2"
  mount -t tmpfs none "$2" # the cache itself may lie on an overlay, which carries no other one
  mkdir "$2"/{new,work,root}
  mount -t overlay none -o "lowerdir=$1,upperdir=$2/new,workdir=$2/work" "$2/root"
  DEBIAN_FRONTEND=noninteractive chroot "$2/root" apt-get -q -y -o APT::Sandbox::User=root install --no-install-recommends python3 python3-venv
  umount "$2/root"
}

make_root() ( # folder, folder of the layer with Python, made in a mount namespace of its own
  set -e
  : "${1:?a folder}"
  # shellcheck source=/dev/null
  CODENAME=$(. /etc/os-release; echo "$VERSION_CODENAME")
  local began mirror; began=$(date +%s)
  read -r mirror _ < <(mirrors Debian) || true
  [ -n "${mirror:-}" ] || { apt-get -q update; read -r mirror _ < <(mirrors Debian); }
  debootstrap --variant=minbase "$CODENAME" "$1" "$mirror"
  borrow_apt "$1"
  upgrade "$1"
  add_python "$1" "$2"
  strip_root "$1" "$(stat -c %Y "$1/etc/debian_version")"
  strip_root "$2/new" "$(stat -c %Y "$1/etc/debian_version")"
  # a file that is gone from below would be a device file here, which no archive understands
  [ -z "$(find "$2/new" -type c)" ]
  echo "made in $(($(date +%s) - began)) s"
)
