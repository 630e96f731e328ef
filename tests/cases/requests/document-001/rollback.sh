curl -X POST https://api.example.com/api/v1/plugin-deployments/$DEPLOYMENT_ID/rollback \
  -H "Authorization: Bearer $TOKEN" \
  -d '{"reason": "High error rate detected"}'
