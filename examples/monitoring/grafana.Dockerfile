ARG GRAFANA_IMAGE=grafana/grafana:12.0.0
FROM ${GRAFANA_IMAGE}
COPY grafana/datasource.yml /etc/grafana/provisioning/datasources/update-lock.yml
COPY grafana/dashboards.yml /etc/grafana/provisioning/dashboards/update-lock.yml
COPY grafana/update-lock.json /etc/grafana/dashboards/update-lock.json
