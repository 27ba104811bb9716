{{- define "batuta.name" -}}
{{- if contains "batuta" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-batuta" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "batuta.labels" -}}
app.kubernetes.io/name: batuta
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "batuta.selector" -}}
app.kubernetes.io/name: batuta
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "batuta.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "batuta.name" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* What all pods share; `.part` is the part, `.root` the chart. */}}
{{- define "batuta.pod" -}}
serviceAccountName: {{ include "batuta.serviceAccount" .root }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: home
    {{- if .root.Values.home.persistence.enabled }}
    persistentVolumeClaim:
      claimName: {{ default (include "batuta.name" .root) .root.Values.home.persistence.existingClaim }}
    {{- else }}
    emptyDir: {}
    {{- end }}
  - name: tmp
    emptyDir: {}
{{- end -}}

{{- define "batuta.container" -}}
image: "{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
env:
  - name: BATUTA_HOME
    value: {{ .Values.home.path | quote }}
  - name: BATUTA_STORE_URL
    valueFrom:
      secretKeyRef:
        name: {{ required "store.existingSecret names the secret with the store's URL" .Values.store.existingSecret }}
        key: {{ .Values.store.urlKey }}
  {{- if .Values.store.secretKeyKey }}
  - name: BATUTA_SECRET_KEY
    valueFrom:
      secretKeyRef:
        name: {{ .Values.store.existingSecret }}
        key: {{ .Values.store.secretKeyKey }}
  {{- end }}
  {{- with .Values.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumeMounts:
  - name: home
    mountPath: {{ .Values.home.path }}
  - name: tmp
    mountPath: /tmp
{{- end -}}
