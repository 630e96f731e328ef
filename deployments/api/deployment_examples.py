"""Requests about plugin deployments that work, as document 001 has them."""

from fastapi.openapi.models import Example

DEPLOYMENT_EXAMPLES: dict[str, Example] = {
    "canary": {
        "summary": "In stages, as in document 001",
        "value": {
            "pluginId": "payment-stripe",
            "pluginVersion": "2.0.0",
            "tenantId": "tenant-acme-corp",
            "environment": "Production",
            "strategy": "Canary",
            "strategyConfig": {"stages": "10,30,50,100", "stageInterval": "300"},
            "totalInstances": 10,
        },
    },
    "rolling": {
        "summary": "As many instances as there are, one after the other",
        "value": {
            "pluginId": "payment-stripe",
            "pluginVersion": "^2.0.0",
            "tenantId": "tenant-acme-corp",
            "environment": "Production",
            "strategy": "RollingUpdate",
        },
    },
}
BACK_EXAMPLES: dict[str, Example] = {
    "errors": {"summary": "Why, in a few words", "value": {"reason": "High error rate detected"}}
}
DEPENDENCIES_EXAMPLES: dict[str, Example] = {
    "release": {
        "summary": "A release, before it is deployed",
        "value": {"pluginId": "payment-stripe", "pluginVersion": "2.0.0", "tenantId": "tenant-acme-corp"},
    }
}
