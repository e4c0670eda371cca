# All that the scaling document says to watch, on one page. R2's own numbers are in Cloudflare's
# dashboard; what reaches it from us is here.

locals {
  firestore = "monitored_resource=\"firestore.googleapis.com/Database\""

  charts = [
    ["Requests a second", "sum by (service_name) (rate(run_googleapis_com:request_count{${local.run}}[5m]))"],
    ["Answers 5xx a second", "sum by (service_name, response_code) (rate(run_googleapis_com:request_count{${local.run},response_code_class=\"5xx\"}[5m]))"],
    ["Latency, 95th percentile (ms)", "histogram_quantile(0.95, sum by (le, service_name) (rate(run_googleapis_com:request_latencies_bucket{${local.run}}[5m])))"],
    ["Instances", "sum by (service_name, state) (run_googleapis_com:container_instance_count{${local.run}})"],
    ["Requests at once in an instance, 99th percentile", "histogram_quantile(0.99, sum by (le, service_name) (rate(run_googleapis_com:container_max_request_concurrencies_bucket{${local.run}}[5m])))"],
    ["Start of an instance, 95th percentile (ms)", "histogram_quantile(0.95, sum by (le, service_name) (rate(run_googleapis_com:container_startup_latencies_bucket{${local.run}}[10m])))"],
    ["CPU, 95th percentile", "histogram_quantile(0.95, sum by (le, service_name) (rate(run_googleapis_com:container_cpu_utilizations_bucket{${local.run}}[5m])))"],
    ["Memory, 95th percentile", "histogram_quantile(0.95, sum by (le, service_name) (rate(run_googleapis_com:container_memory_utilizations_bucket{${local.run}}[5m])))"],
    ["Instance time that is paid for (s/s)", "sum by (service_name) (rate(run_googleapis_com:container_billable_instance_time{${local.run}}[10m]))"],
    ["Videos waiting", "histogram_quantile(0.99, sum by (le) (rate(logging_googleapis_com:user_phoenix_queue_depth_bucket{${local.run}}[5m])))"],
    ["The oldest of them (s)", "histogram_quantile(0.99, sum by (le) (rate(logging_googleapis_com:user_phoenix_queue_oldest_job_bucket{${local.run}}[5m])))"],
    ["Events not delivered", "sum by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\",subscription_id=~\"phoenix-.*\"})"],
    ["Failures of workers and models", "sum(rate(logging_googleapis_com:user_phoenix_worker_failures{${local.run}}[5m])) or sum(rate(logging_googleapis_com:user_phoenix_model_failures{${local.run}}[5m]))"],
    ["Firestore reads a second", "sum by (type) (rate(firestore_googleapis_com:document_read_ops_count{${local.firestore}}[5m]))"],
    ["Firestore writes a second", "sum by (op) (rate(firestore_googleapis_com:document_write_ops_count{${local.firestore}}[5m]))"],
    ["Firestore: bytes kept", "sum(firestore_googleapis_com:storage_data_and_index_storage_bytes{${local.firestore}})"],
    ["Redis: share of memory", "max(redis_googleapis_com:stats_memory_usage_ratio{monitored_resource=\"redis_instance\"})"],
    ["Redis: commands a second", "sum(rate(redis_googleapis_com:commands_calls{monitored_resource=\"redis_instance\"}[5m]))"],
  ]
}

resource "google_monitoring_dashboard" "this" {
  dashboard_json = jsonencode({
    displayName = "Phoenix"
    mosaicLayout = {
      columns = 12
      tiles = [
        for i, chart in local.charts : {
          xPos   = (i % 3) * 4
          yPos   = floor(i / 3) * 4
          width  = 4
          height = 4
          widget = {
            title = chart[0]
            xyChart = {
              dataSets = [{
                plotType        = "LINE"
                timeSeriesQuery = { prometheusQuery = chart[1] }
              }]
            }
          }
        }
      ]
    }
  })

  depends_on = [google_logging_metric.counter, google_logging_metric.gauge]
}
