# The pipeline itself, for its runs as Kubernetes Jobs. `infra/local/pipeline-image.sh` lays out the context; elsewhere the same folders do:
# `code/` (the layers and infra/images), `tools/` (trivy, trufflehog, node, pnpm) and requirements.txt.
# Build arguments name the base image (Debian with python3 and python3-venv); secrets give what only this network needs: `ca` (a bundle of
# certificates) and `pip` (a pip.conf). None of them stays in the image.
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE} AS built
RUN ["python3", "-m", "venv", "/opt/venv"]
COPY requirements.txt /requirements.txt
RUN --mount=type=secret,id=ca --mount=type=secret,id=pip --mount=type=cache,target=/root/.cache/pip \
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \
    if [ -s /run/secrets/pip ]; then export PIP_CONFIG_FILE=/run/secrets/pip; fi; \
    /opt/venv/bin/pip install -q --disable-pip-version-check --no-deps --require-hashes -r /requirements.txt && \
    /opt/venv/bin/pip uninstall -q -y pip setuptools

FROM ${PYTHON_IMAGE}
RUN echo 'pipeline:x:10001:10001::/tmp:/usr/sbin/nologin' >>/etc/passwd && echo 'pipeline:x:10001:' >>/etc/group
COPY tools /opt/tools
COPY --from=built /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:/opt/tools/bin:/usr/bin:/bin HOME=/tmp PYTHONPATH=/opt/plugin-pipeline PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    PIPELINE_BIN=/opt/tools/bin NODE_BIN=/opt/tools/bin PNPM=/opt/tools/bin/pnpm \
    PREFECT_HOME=/tmp/prefect PREFECT_SERVER_ANALYTICS_ENABLED=false
WORKDIR /opt/plugin-pipeline
# The code comes last: a change of it is a layer of a megabyte. Compiled here, since nobody may write where it runs.
COPY code ./
RUN ["python", "-m", "compileall", "-q", "."]
ARG REVISION=unknown
LABEL org.opencontainers.image.title="plugin-pipeline" \
      org.opencontainers.image.description="Installs plugins of a developer portal on Kubernetes, each installation as one transaction." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
USER 10001:10001
CMD ["python", "-m", "prefect.engine"]
