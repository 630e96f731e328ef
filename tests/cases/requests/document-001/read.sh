curl https://api.example.com/api/v1/plugin-deployments/$DEPLOYMENT_ID \
  -H "Authorization: Bearer $TOKEN"
