# Builds what lab hosts are made of; sourced by setup. In lab_dir:
#   bare/        a minimal Debian with an SSH server, as a contributor would lend it
#   full-layer/  what full adds to bare: podman and sshfs, installed
#   files-layer/ what a file server adds to bare: tools for access lists and quotas
#   apt/         a local package repository, closed under dependencies, with all that a bare host may need to install
#   images/      the exercise image as an archive for `podman load`, and as an OCI layout for a registry to serve
#   store/       a containers store that holds the exercise image
#   vm/          vmlinuz, initrd and disk.img of a whole virtual machine, which has a kernel of its own and all of the above

base_packages=systemd,systemd-sysv,dbus,udev,openssh-server,sudo,iproute2,ca-certificates,procps,nftables
# nftables' and podman's recommendations are in the repository too: whichever way a host installs, it finds everything.
full_packages=(podman runc conmon netavark aardvark-dns catatonit iptables sshfs)
files_packages=(acl quota)
vm_packages=(linux-image-cloud-amd64 initramfs-tools)
extra_packages=(busybox-static debsums libfaketime)

build_lab() {
  local out partial
  out=$(lab_dir)
  [ ! -e "$out" ] || { touch "$out"; return 0; }
  say "building the lab hosts' root file systems ($DEBIAN_SUITE) into $out (about 3 minutes)"
  partial=$(mktemp -d "$out.XXXXXX")
  chmod 755 "$partial"
  bootstrap "$partial"
  configure_bare "$partial/bare"
  make_layer "$partial" full "${full_packages[@]}"
  make_layer "$partial" files "${files_packages[@]}"
  make_image "$partial"
  make_vm "$partial"
  mv "$partial" "$out"
}

bootstrap() {
  local into=$1 settings
  mkdir -p "$into/apt"
  # The machine's own view of its mirror's dates (a frozen mirror is older than its signatures allow).
  settings=$(mktemp)
  apt-config dump 'Acquire::Check-Valid-Until' >"$settings"
  apt-config dump 'Acquire::Check-Date' >>"$settings"
  # shellcheck disable=SC2016  # expanded by mmdebstrap's hook
  mmdebstrap --quiet --variant=minbase --format=directory --include="$base_packages" --aptopt="$settings" \
    --customize-hook='APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get install -y -q --download-only --install-recommends '"${full_packages[*]} ${files_packages[*]} ${vm_packages[*]} ${extra_packages[*]}" \
    --customize-hook='cp "$1"/var/cache/apt/archives/*.deb '"$into/apt/" \
    --customize-hook='rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/resolv.conf' \
    "$DEBIAN_SUITE" "$into/bare" >&2
  rm -f "$settings"
  chmod 755 "$into/bare"
  (cd "$into/apt" && dpkg-scanpackages --multiversion . 2>/dev/null >Packages)
}

configure_bare() {
  local root=$1
  # Lab hosts have no internet: their only package source is the repository bound at /srv/apt.
  mkdir -p "$root/srv/apt"
  printf 'deb [trusted=yes] file:/srv/apt ./\n' >"$root/etc/apt/sources.list"
  rm -rf "$root"/var/lib/apt/lists/*
  # Every host gets keys, an identity and a name of its own at its start.
  rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/machine-id" "$root/var/lib/dbus/machine-id" "$root/etc/hostname"
  # What this bed must relax, and nothing else: it may lack CAP_SYS_RESOURCE and cgroup controllers.
  mkdir -p "$root/etc/containers"
  cat >"$root/etc/containers/containers.conf" <<'CONF'
[containers]
pids_limit=0
default_ulimits=["nofile=1024:4096","nproc=4096:8192"]
[engine]
runtime="runc"
CONF
}

# with_root LAB LAYERS UPPER COMMAND...: runs a command in a root made of layers, whose changes go to UPPER.
with_root() {
  local lab=$1 layers=$2 upper=$3 merged
  shift 3
  merged=$(mktemp -d "$lab/merged.XXXXXX")
  mkdir -p "$upper" "$merged/work" "$merged/root"
  mount -t overlay overlay -o "lowerdir=$layers,upperdir=$upper,workdir=$merged/work" "$merged/root"
  local status=0
  systemd-nspawn -q -D "$merged/root" --register=no --keep-unit --private-network --console=pipe \
    --bind-ro="$lab/apt:/srv/apt" --bind="$lab/store:/var/lib/containers" --capability=all \
    --system-call-filter='@mount @keyring bpf add_key keyctl' \
    --setenv=DEBIAN_FRONTEND=noninteractive "$@" </dev/null >&2 || status=$?
  umount "$merged/root"
  rm -rf "$merged"
  return $status
}

# make_layer LAB NAME PACKAGE...: installs from the local repository, which so proves to be closed.
make_layer() {
  local lab=$1 name=$2
  shift 2
  mkdir -p "$lab/store"
  with_root "$lab" "$lab/bare" "$lab/$name-layer" \
    sh -euc 'apt-get update -q; apt-get install -y -q --no-install-recommends "$@"; apt-get clean; rm -rf /var/lib/apt/lists/*' sh "$@"
}

make_image() {
  local lab=$1 tree scratch
  tree=$(mktemp -d)
  scratch=$(mktemp -d)
  mkdir -p "$tree/bin" "$tree/tmp" "$tree/work" "$tree/www" "$lab/images"
  dpkg -x "$lab"/apt/busybox-static_*.deb "$scratch"
  install -m 755 "$scratch/bin/busybox" "$tree/bin/busybox"
  local applet
  for applet in $("$tree/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$tree/bin/$applet"
  done
  cp -r "$testbed/exercise/." "$tree/"
  chmod -R a+rX "$tree"
  chmod 1777 "$tree/tmp"
  tar -C "$tree" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$lab/images/tree.tar" .
  rm -rf "$tree" "$scratch"
  with_root "$lab" "$lab/full-layer:$lab/bare" "$lab/image-upper" --bind="$lab/images:/images" \
    sh -euc 'podman import --change "ENV PORT=8080" --change "CMD [\"/bin/exercise\"]" /images/tree.tar localhost/exercise:1
      podman save -q -o /images/exercise.tar localhost/exercise:1
      podman save -q --format oci-dir -o /images/exercise localhost/exercise:1'
  rm -rf "$lab/image-upper" "$lab/images/tree.tar"
}

make_vm() {
  local lab=$1 merged
  merged=$(mktemp -d "$lab/merged.XXXXXX")
  mkdir -p "$lab/vm" "$lab/vm-layer/etc/initramfs-tools/conf.d" "$lab/vm-layer/etc/systemd/network"
  # Emulated, every file of the initrd costs time: only what finds the disk.
  printf 'MODULES=list\n' >"$lab/vm-layer/etc/initramfs-tools/conf.d/testbed"
  printf 'virtio_pci\nvirtio_blk\next4\n' >"$lab/vm-layer/etc/initramfs-tools/modules"
  make_layer "$lab" vm "${full_packages[@]}" "${files_packages[@]}" "${vm_packages[@]}"
  mkdir "$merged/root" "$merged/work" "$merged/disk"
  mount -t overlay overlay -o "lowerdir=$lab/vm-layer:$lab/bare,upperdir=$merged/disk,workdir=$merged/work" "$merged/root"
  # This kernel has all that podman needs: nothing is relaxed here.
  rm "$merged/root/etc/containers/containers.conf"
  # The data's quotas come with their file system; this unit would only fail to turn them on.
  chroot "$merged/root" systemctl --quiet mask quotaon.service
  chroot "$merged/root" systemctl --quiet enable systemd-networkd
  cp "$merged/root"/boot/vmlinuz-* "$lab/vm/vmlinuz"
  cp "$merged/root"/boot/initrd.img-* "$lab/vm/initrd"
  truncate -s 2G "$lab/vm/disk.img"
  mkfs.ext4 -q -d "$merged/root" "$lab/vm/disk.img"
  umount "$merged/root"
  rm -rf "$merged" "$lab/vm-layer"
}
