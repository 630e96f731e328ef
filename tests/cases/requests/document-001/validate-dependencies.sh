curl https://api.example.com/api/v1/plugin-deployments/validate-dependencies \
  -H "Authorization: Bearer $TOKEN" \
  -d '{"pluginId": "payment-stripe", "pluginVersion": "2.0.0", "tenantId": "tenant-acme-corp"}'
