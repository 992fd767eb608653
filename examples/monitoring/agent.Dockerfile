ARG PROMETHEUS_IMAGE=prom/prometheus:v3.5.0
FROM ${PROMETHEUS_IMAGE}
COPY agent.yml /etc/prometheus/agent.yml
CMD ["--agent", "--config.file=/etc/prometheus/agent.yml", "--storage.agent.path=/prometheus"]
