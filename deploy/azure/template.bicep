metadata description = 'Lets Foretop see an Azure Container Registry: pushes and deletions are sent to it, and it may list and pull.'

@description('The address of your Foretop that events are sent to, as its page of this integration shows it. Whoever knows it can send events: keep it to yourself.')
param DockerScoutWebhook string

@description('The name of the registry, which is the first word of its host. It must be in the resource group that this is deployed to.')
param RegistryName string

@description('The name of the system topic. A registry has one at most: if yours has one already, give its name.')
param systemTopics_dockerScoutRepository string = 'docker-scout-repository'

resource registry 'Microsoft.ContainerRegistry/registries@2023-01-01-preview' existing = {
  name: RegistryName
}

resource topic 'Microsoft.EventGrid/systemTopics@2023-06-01-preview' = {
  name: systemTopics_dockerScoutRepository
  location: resourceGroup().location
  identity: {
    type: 'None'
  }
  properties: {
    source: registry.id
    topicType: 'Microsoft.ContainerRegistry.Registries'
  }
}

resource subscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2023-06-01-preview' = {
  parent: topic
  name: 'image-change'
  properties: {
    destination: {
      endpointType: 'WebHook'
      properties: {
        endpointUrl: DockerScoutWebhook
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    eventDeliverySchema: 'EventGridSchema'
    filter: {
      enableAdvancedFilteringOnArrays: true
      includedEventTypes: [
        'Microsoft.ContainerRegistry.ImagePushed'
        'Microsoft.ContainerRegistry.ImageDeleted'
      ]
    }
    labels: []
    retryPolicy: {
      eventTimeToLiveInMinutes: 1440
      maxDeliveryAttempts: 30
    }
  }
}

resource token 'Microsoft.ContainerRegistry/registries/tokens@2023-01-01-preview' = {
  parent: registry
  name: 'docker-scout-readonly-token'
  properties: {
    credentials: {}
    scopeMapId: resourceId('Microsoft.ContainerRegistry/registries/scopeMaps', RegistryName, '_repositories_pull_metadata_read')
  }
}
