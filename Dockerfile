# Batuta with PostgreSQL, the server and the scheduler. `docker build -t batuta .` ; see deploy/ and docs/deployment.md.
# Libraries that your pipelines need: build your own image from this one (`FROM batuta`, `RUN pip install ...`).
FROM python:3.13-slim AS build
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements/service.txt requirements/service.txt
RUN python -m venv /opt/batuta && /opt/batuta/bin/pip install --require-hashes -r requirements/service.txt
COPY pyproject.toml README.md LICENSE hatch_build.py ./
COPY docs/openapi.json docs/openapi.json
COPY ui ui
COPY src src
RUN /opt/batuta/bin/pip install --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --create-home --uid 10001 batuta && install -d -o batuta -g batuta /project /var/lib/batuta
COPY --from=build /opt/batuta /opt/batuta
ENV PATH=/opt/batuta/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    BATUTA_HOME=/var/lib/batuta
USER 10001
WORKDIR /project
EXPOSE 8421
# What has been asked to stop may take half a minute to let running tasks end.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8421/health', timeout=4)"]
ENTRYPOINT ["batuta"]
CMD ["up", "--host", "0.0.0.0"]
