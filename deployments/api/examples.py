"""Requests that work, for the description of the API."""

from fastapi.openapi.models import Example

INSTALL_EXAMPLES: dict[str, Example] = {
    "frontend": {
        "summary": "A frontend plugin",
        "value": {
            "plugin": {
                "name": "@backstage/plugin-catalog",
                "version": "^2.0.0",
                "runtime": {"type": "frontend", "framework": "react"},
                "resources": {"cpu": {"request": "100m", "limit": "500m"}, "memory": {"request": "128Mi", "limit": "512Mi"}},
                "networking": {"ports": [{"name": "http", "port": 3000, "protocol": "TCP"}]},
                "healthChecks": {
                    "liveness": {"type": "http", "path": "/health", "port": 3000},
                    "readiness": {"type": "http", "path": "/ready", "port": 3000},
                },
                "security": {"runAsNonRoot": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                "observability": {"metrics": {"enabled": True, "path": "/metrics", "port": 3000}},
            },
            "strategy": "rolling-update",
        },
    },
    "backend": {
        "summary": "A backend plugin with its configuration",
        "value": {
            "plugin": {"name": "@backstage/plugin-proxy-backend", "runtime": {"type": "backend"}},
            "tenant": "acme",
            "environment": "staging",
            "config": {"proxy": {"endpoints": {"/example": "http://192.0.2.10:8080"}}},
            "egress": [{"cidr": "192.0.2.10/32", "port": 8080}],
        },
    },
    "service": {
        "summary": "A service from a folder with a plugin.yaml",
        "value": {
            "plugin": {"name": "hello", "runtime": {"type": "service"}},
            "source": {"type": "folder", "path": "hello"},
            "replicas": 2,
        },
    },
}

WHY_EXAMPLES: dict[str, Example] = {
    "maintenance": {"summary": "Why, in a few words", "value": {"reason": "maintenance of the catalogue's database"}}
}
ROLLBACK_EXAMPLES: dict[str, Example] = {
    "last": {"summary": "To the last good revision", "value": {"reason": "search is slow since the update"}},
    "named": {"summary": "To revision 3", "value": {"reason": "4 and 5 lose sessions", "revision": 3}},
}
RETRY_EXAMPLES: dict[str, Example] = {
    "again": {"summary": "Try again what froze", "value": {"reason": "the quota is larger now"}},
    "accept": {
        "summary": "Leave what cannot be taken back",
        "value": {"reason": "the new tables may stay", "acceptRemaining": True},
    },
}
PROMOTE_EXAMPLES: dict[str, Example] = {
    "stage": {"summary": "On to the next stage", "value": {"reason": "nobody uses it at night, and I have tried it"}},
    "fully": {"summary": "All requests now", "value": {"reason": "it mends an outage", "fully": True}},
}
VOTE_EXAMPLES: dict[str, Example] = {
    "plan": {
        "summary": "A word on exactly one plan",
        "value": {"hash": f"sha256:{'3f' * 32}", "comment": "read the plan; fine"},
    }
}
LIFT_EXAMPLES: dict[str, Example] = {
    "fixed": {
        "summary": "Try the release again",
        "value": {"release": "@backstage/plugin-catalog@2.0.8", "reason": "it was the database, not the plugin"},
    }
}
WATCH_EXAMPLES: dict[str, Example] = {
    "update": {
        "summary": "Updates within a major version are asked for as they appear",
        "value": {
            "plugin": "@backstage/plugin-catalog",
            "action": "update",
            "version": "^2.0.0",
            "reason": "fixes within the hour",
        },
    },
    "record": {
        "summary": "Hear of the releases of something that is not installed",
        "value": {"plugin": "@backstage/plugin-proxy-backend", "tenant": "acme", "reason": "we may want it"},
    },
}
WAIVER_EXAMPLES: dict[str, Example] = {
    "vulnerability": {
        "summary": "A vulnerability in a part that the plugin never calls",
        "value": {
            "plugin": "@backstage/plugin-catalog",
            "finding": "vulnerability:CVE-2026-0001:lodash",
            "owner": "team-search@example.com",
            "reason": "template() is never called; gone with the next release",
            "expiresAt": "2099-01-31T00:00:00Z",
        },
    }
}
CHANGE_EXAMPLES: dict[str, Example] = {
    "pause": {"summary": "Look no more for a while", "value": {"enabled": False, "reason": "freeze before the release"}}
}
SET_EXAMPLES: dict[str, Example] = {
    "pair": {
        "summary": "A plugin and what it depends on, together",
        "value": {
            "name": "search",
            "tenant": "acme",
            "environment": "dev",
            "plugins": [
                {
                    "plugin": {"name": "@backstage/plugin-search", "runtime": {"type": "frontend"}},
                    "dependsOn": ["@backstage/plugin-search-backend"],
                },
                {"plugin": {"name": "@backstage/plugin-search-backend", "runtime": {"type": "backend"}}},
            ],
        },
    }
}
