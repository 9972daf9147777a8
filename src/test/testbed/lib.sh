# Shared by the test bed's scripts; sourced, never run.

testbed=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${CROWDLAB_CACHE:-$HOME/.cache/crowdlab}
# shellcheck source=versions.env
. "$testbed/versions.env"

kube_dir="$cache/kube-api-test/k8s/$KUBERNETES_VERSION-linux-amd64"

say() { printf 'testbed: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# digest FILE-OR-FOLDER...: one short digest over the contents and names, so that a change of an input is seen.
digest() {
  (cd "$testbed" && find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) | sha256sum | cut -c1-12
}

# Artifacts are kept in folders named after their inputs' digest: checkouts of different ages can share a cache.
lab_dir() { printf '%s/lab-%s' "$cache" "$(digest versions.env lib.sh roots.sh exercise)"; }
ingress_dir() { printf '%s/ingress-%s' "$cache" "$(digest versions.env ingress)"; }
helm_dir() { printf '%s/helm-%s' "$cache" "$(digest helm)"; }
