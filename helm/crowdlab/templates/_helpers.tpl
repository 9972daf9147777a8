{{- define "crowdlab.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "crowdlab.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "crowdlab.labels" -}}
{{ include "crowdlab.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "crowdlab.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "crowdlab.fullname" .) -}}
{{- end -}}

{{- define "crowdlab.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* The configuration file: what the values say, and on top what only the chart can know. */}}
{{- define "crowdlab.config" -}}
{{- $chart := dict
  "namespace" .Release.Namespace
  "hub" (dict "listen" "0.0.0.0:8443")
  "waitingRoom" (dict "listen" "0.0.0.0:8090")
  "management" (dict "listen" "0.0.0.0:8080")
  "leaderElection" (dict "enabled" true "leaseName" (include "crowdlab.fullname" .)) -}}
{{- $default := dict "waitingRoom" (dict "advertise" "$(POD_IP):8090") -}}
{{- mergeOverwrite $default (deepCopy .Values.config) $chart | toYaml -}}
{{- end -}}
