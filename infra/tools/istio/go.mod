module plugin-pipeline/tools/istio

go 1.26

require istio.io/api v1.27.0
