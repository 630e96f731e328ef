curl -X POST https://api.example.com/api/v1/plugin-deployments \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "pluginId": "payment-stripe",
    "pluginVersion": "2.0.0",
    "tenantId": "tenant-acme-corp",
    "environment": "Production",
    "strategy": "Canary",
    "strategyConfig": {
      "stages": "10,30,50,100",
      "stageInterval": "300"
    },
    "totalInstances": 10
  }'
