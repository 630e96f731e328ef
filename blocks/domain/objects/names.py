"""What an object is called: kind, namespace and name, as a value and as text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Name:
    """One object of one kind; the namespace of what lives in none is empty."""

    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Self:
        """The name of an object as it stands in a document or in the cluster."""
        metadata = described["metadata"]
        return cls(described["kind"], metadata.get("namespace", ""), metadata["name"])

    @property
    def short(self) -> str:
        """`Kind/name`, for people who know the namespace."""
        return f"{self.kind}/{self.name}"

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"
