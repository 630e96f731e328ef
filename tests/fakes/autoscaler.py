"""What a cluster's autoscaler does with the Deployments that it follows: told how many pods are needed, where the real one measures."""

from typing import Any

from tests.fakes.cluster_store import Key, Store

MANAGER = "kube-controller-manager"
FOLLOWED = ("horizontalpodautoscalers", "deployments")


class Autoscaler:
    """Lets the target of each HorizontalPodAutoscaler have the pods that it needs; `needed` says how many, by the autoscaler's name.

    Where nobody says so, as many are needed as there are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.needed: dict[str, int] = {}

    async def look(self) -> None:
        """Every target is as large as it is to be, by the autoscalers as they are now."""
        for key in [one for one in self._store.objects if one[0] == "horizontalpodautoscalers"]:
            self._follow(key)

    def _follow(self, key: Key) -> None:
        spec = self._store.objects[key]["spec"]
        target = ("deployments", key[1], spec["scaleTargetRef"]["name"])
        live = self._store.objects.get(target)
        # What has no pods is switched off, and is not switched on by being needed.
        if live is None or not (has := live["spec"].get("replicas", 1)):
            return
        wanted = min(max(self.needed.get(key[2], has), spec["minReplicas"]), spec["maxReplicas"])
        if wanted > has or (wanted < has and not _is_held(spec)):
            self._store.scale(target, wanted, MANAGER)


def _is_held(spec: dict[str, Any]) -> bool:
    return bool(spec["behavior"]["scaleDown"]["selectPolicy"] == "Disabled")
